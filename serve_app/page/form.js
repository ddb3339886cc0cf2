// A form made from a JSON schema: a new parameter or a new model appears here by itself.

import { button, choice, fill, h, labelled, newId } from "./elements.js";
import { general } from "./numbers.js";

const EXACT = 2 ** 53;

// Each field is {element, read(), write(value), paths}; `read` gives undefined where nothing was said.
export function fieldOf(schema, path, name, isRequired = false) {
  const options = schema.anyOf?.filter((each) => each.type !== "null");
  const plain = options?.length === 1 ? { ...options[0], title: schema.title, description: schema.description } : schema;
  const kind = Array.isArray(plain.type) ? plain.type.find((each) => each !== "null") : plain.type;
  if (plain.oneOf && plain.oneOf.every((each) => each.properties)) return variants(plain, path, name, isRequired);
  if (plain.oneOf || plain.enum) return enumerated(plain, path, name, isRequired);
  if (kind === "array" && plain.items?.oneOf) return list(plain, path, name);
  if (kind === "object" && plain.properties) return group(plain, path, name);
  if (kind === "number" || kind === "integer") return numeric(plain, path, name, isRequired, kind === "integer");
  if (kind === "string") return textual(plain, path, name, isRequired);
  return json(plain, path, name, isRequired);
}

// What null means on the wire, an empty field means here.
const forPeople = (text = "") => text.replaceAll("`", "").replace(/\bnull\b/g, "empty");
const bound = (value) => (value !== 0 && (Math.abs(value) < 1e-6 || Math.abs(value) >= 1e15) ? String(value) : general(value));

function rangeOf({ minimum, exclusiveMinimum, maximum }) {
  if (maximum === undefined || maximum > EXACT) return "";
  return minimum === undefined ? ` (above ${bound(exclusiveMinimum)}, at most ${bound(maximum)})` : ` (${bound(minimum)} to ${bound(maximum)})`;
}

const words = (name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ");
const sentence = (name) => words(name).replace(/^./, (first) => first.toUpperCase());

function controlled(control, path, name, described, isRequired, read, write) {
  const about = forPeople(described);
  control.dataset.path = path;
  control.required = isRequired;
  const field = labelled(sentence(name), control, about);
  return { element: field, read, write, controls: [control] };
}

function numeric(schema, path, name, isRequired, isWhole) {
  const isLong = schema.maximum > EXACT;
  const control = h("input", isLong
    ? { type: "text", inputmode: "numeric", pattern: "[0-9]*" }
    : { type: "number", step: isWhole ? "1" : "any", min: String(schema.minimum ?? schema.exclusiveMinimum ?? ""), max: String(schema.maximum ?? "") });
  const read = () => {
    const text = control.value.trim();
    if (text === "") return undefined;
    return isLong && /^\d+$/.test(text) && BigInt(text) > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(text) : Number(text);
  };
  return controlled(control, path, name, (schema.description ?? "") + rangeOf(schema), isRequired, read,
    (value) => { control.value = value ?? ""; });
}

function textual(schema, path, name, isRequired) {
  const control = h("input", { type: "text", maxlength: "200", placeholder: schema.examples?.[0], pattern: htmlPattern(schema.pattern) });
  return controlled(control, path, name, schema.description, isRequired,
    () => control.value.trim() || undefined, (value) => { control.value = value ?? ""; });
}

// Browsers read `pattern` with the flag `v`, in which some characters of a class must be escaped.
function htmlPattern(pattern) {
  const text = pattern?.replace(/^\^|\$$/g, "");
  try {
    new RegExp(text, "v");
    return text;
  } catch { return undefined; }
}

function enumerated(schema, path, name, isRequired) {
  const values = schema.enum ?? schema.oneOf.flatMap((each) => each.enum ?? []);
  const control = choice([...(isRequired ? [] : [["", "–"]]), ...values.map((each) => [String(each), String(each)])], "");
  return controlled(control, path, name, schema.description, isRequired,
    () => values.find((each) => String(each) === control.value),
    (value) => { control.value = value ?? ""; });
}

function json(schema, path, name, isRequired) {
  const control = h("textarea", { rows: "2", spellcheck: "false", placeholder: schema.type === "array" ? "[ ]" : "{ }" });
  return controlled(control, path, name, `${schema.description ?? ""} As JSON.`, isRequired, () => {
    if (!control.value.trim()) return undefined;
    try { return JSON.parse(control.value); } catch { return control.value; }
  }, (value) => { control.value = value === undefined || value === null ? "" : JSON.stringify(value); });
}

function group(schema, path, name) {
  const fields = Object.entries(schema.properties)
    .filter(([, each]) => each.const === undefined)
    .map(([key, each]) => [key, fieldOf(each, path ? `${path}.${key}` : key, key, schema.required?.includes(key))]);
  return {
    element: h("div", { class: "group" }, fields.map(([, field]) => field.element)),
    controls: fields.flatMap(([, field]) => field.controls),
    read() {
      const said = fields.map(([key, field]) => [key, field.read()]).filter(([, value]) => value !== undefined);
      return Object.fromEntries(said);
    },
    write(value) { for (const [key, field] of fields) field.write(value?.[key]); },
  };
}

// One of several objects: told apart by their only key, `{"Heston": {...}}`, or by the constant of one of them.
function variants(schema, path, name, isRequired) {
  const all = schema.oneOf.map((each) => {
    const [tag] = Object.keys(each.properties);
    const mark = Object.entries(each.properties).find(([, value]) => value.const !== undefined);
    return mark
      ? { id: mark[1].const, mark: mark[0], inner: each, about: each.description }
      : { id: tag, inner: each.properties[tag], about: each.description };
  });
  const body = h("div", { class: "variant" });
  const kind = choice([...(isRequired ? [] : [["", "–"]]), ...all.map((each) => [each.id, sentence(each.id)])], "", () => pick());
  kind.dataset.path = path;
  const about = h("small", { class: "about" });
  const element = h("fieldset", {}, h("legend", {}, sentence(name)), labelled("Kind", kind, ""), about, body);
  const result = { element, controls: [kind], read, write };
  let field = null;
  function pick(value) {
    const one = all.find((each) => each.id === kind.value);
    const kept = value ?? field?.read();
    field = one ? group(one.inner, one.mark ? path : `${path}.${one.id}`, one.id) : null;
    about.textContent = forPeople(one?.about ?? schema.description);
    fill(body, field?.element);
    field?.write(kept);
    result.controls = [kind, ...(field?.controls ?? [])];
    element.dispatchEvent(new CustomEvent("fields", { bubbles: true }));
  }
  function read() {
    const one = all.find((each) => each.id === kind.value);
    if (!one) return undefined;
    return one.mark ? { [one.mark]: one.id, ...field.read() } : { [one.id]: field.read() };
  }
  function write(value) {
    const one = value && all.find((each) => (each.mark ? value[each.mark] === each.id : each.id in value));
    kind.value = one?.id ?? (isRequired ? all[0].id : "");
    pick(one ? (one.mark ? value : value[one.id]) : {});
  }
  write(undefined);
  return result;
}

function list(schema, path, name) {
  const rows = h("div", {});
  const items = [];
  const element = h("fieldset", {}, h("legend", {}, sentence(name)),
    h("small", { class: "about" }, forPeople(schema.description)), rows, button(`Add to ${words(name)}`, () => add()));
  function add(value) {
    const field = variants({ ...schema.items }, `${path}[${items.length}]`, `${words(name)} ${items.length + 1}`, true);
    const row = h("div", { class: "row" }, field.element, button("Remove", () => {
      items.splice(items.indexOf(field), 1);
      row.remove();
    }));
    items.push(field);
    rows.append(row);
    if (value) field.write(value);
  }
  return {
    element,
    get controls() { return items.flatMap((each) => each.controls); },
    read: () => (items.length ? items.map((each) => each.read()) : undefined),
    write(value) {
      items.length = 0;
      rows.replaceChildren();
      for (const each of value ?? []) add(each);
    },
  };
}

// The whole form of an object: what is required in sight, the rest folded away.
export function formOf(schema, order, onSubmit, { submit = "Create", extra = [], hidden = [] } = {}) {
  const names = Object.keys(schema.properties).filter((name) => !hidden.includes(name));
  const first = order.filter((name) => names.includes(name));
  const rest = names.filter((name) => !first.includes(name));
  const fields = new Map([...first, ...rest].map((name) =>
    [name, fieldOf(schema.properties[name], name, name, schema.required?.includes(name))]));
  const problem = h("p", { class: "field-problem", role: "alert", id: newId("problem") });
  const more = h("details", {}, h("summary", {}, `${rest.length} more parameters`), rest.map((name) => fields.get(name).element));
  const go = h("button", { type: "submit", class: "main" }, submit);
  const element = h("form", { novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    clear();
    go.disabled = true;
    try { await onSubmit(read()); } catch (error) { show(error); } finally { go.disabled = false; }
  } }, extra, first.map((name) => fields.get(name).element), more, problem, go);
  // A parameter of the model with the name of one of the market is the same: a volatility has one value.
  element.addEventListener("input", ({ target }) => {
    const last = target.dataset?.path?.split(".").at(-1);
    if (!last) return;
    for (const each of controls()) {
      if (each !== target && each.dataset.path.split(".").at(-1) === last && !/[[\]]/.test(each.dataset.path)) each.value = target.value;
    }
  });
  const controls = () => [...fields.values()].flatMap((field) => field.controls);
  function read() {
    const said = [...fields].map(([name, field]) => [name, field.read()]).filter(([, value]) => value !== undefined);
    return Object.fromEntries(said);
  }
  function clear() {
    problem.textContent = "";
    for (const each of controls()) each.removeAttribute("aria-invalid");
  }
  // The error at the field that it names, or at the nearest one around it.
  function show(error) {
    if (!error.field) throw error;
    for (let path = error.field; path; path = path.replace(/(^|\.)[^.]*$/, "")) {
      const at = controls().find((each) => each.dataset.path === path);
      if (!at) continue;
      at.closest("details")?.setAttribute("open", "");
      at.setAttribute("aria-invalid", "true");
      at.focus();
      break;
    }
    problem.textContent = error.message;
  }
  return { element, read, write: (value) => { clear(); for (const [name, field] of fields) field.write(value?.[name]); } };
}

// A schema of the OpenAPI document, with what it refers to in its place.
export function resolved(document, name) {
  const follow = (each) => {
    if (Array.isArray(each)) return each.map(follow);
    if (each === null || typeof each !== "object") return each;
    if (each.$ref) return follow(document.components.schemas[each.$ref.split("/").at(-1)]);
    return Object.fromEntries(Object.entries(each).map(([key, value]) => [key, follow(value)]));
  };
  return follow(document.components.schemas[name]);
}
