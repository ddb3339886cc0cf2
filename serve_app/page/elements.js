// Builds elements. Every text goes in as text, so nothing that a server or a file says is ever markup.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(3)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

let ids = 0;
export const newId = (what) => `${what}-${++ids}`;

export function button(text, act, properties = {}) {
  return h("button", { type: "button", onclick: act, ...properties }, text);
}

// A field with its label; `about` is read out with it.
export function labelled(label, control, about = "") {
  control.id ||= newId("field");
  const help = about ? h("small", { id: `${control.id}-about`, class: "about" }, about) : null;
  if (help) control.setAttribute("aria-describedby", help.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, help);
}

export function choice(values, chosen, act = () => {}) {
  const options = values.map((each) => (Array.isArray(each) ? each : [each, each]));
  return h("select", { onchange: (event) => act(event.target.value) },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

// Tabs as ARIA has them: arrows move between them, one is in the order of the Tab key.
export function tabs(label, act) {
  const list = h("div", { role: "tablist", "aria-label": label, class: "tabs" });
  let shown = "";
  list.addEventListener("keydown", (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    next.click();
  });
  return {
    element: list,
    // `named` is [[id, text], ...]; nothing is built anew where the tabs stay the same.
    show(named, selected, panel) {
      const key = JSON.stringify(named);
      if (key !== shown) {
        const focused = document.activeElement?.dataset?.tab;
        fill(list, named.map(([id, text]) =>
          h("button", { type: "button", role: "tab", "data-tab": id, onclick: () => act(id) }, text)));
        if (focused) [...list.children].find((each) => each.dataset.tab === focused)?.focus();
        shown = key;
      }
      for (const each of list.children) {
        const is = each.dataset.tab === selected;
        if (each.getAttribute("aria-selected") !== String(is)) {
          each.setAttribute("aria-selected", is);
          each.tabIndex = is ? 0 : -1;
          if (panel) each.setAttribute("aria-controls", panel);
        }
      }
    },
  };
}
