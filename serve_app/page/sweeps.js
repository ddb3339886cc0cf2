// Sweeps: written in a form or pasted, followed while they run, and looked at as a table, a map and bands.

import { BigTable } from "./big_table.js";
import { codePanel, sweepCode } from "./code.js";
import { encode } from "./api.js";
import { button, choice, fill, h, labelled } from "./elements.js";
import { linkTo, pack, unpacked } from "./links.js";
import { exportBar } from "./exports.js";
import { over, tell, tellProblem } from "./notices.js";
import * as numbers from "./numbers.js";
import { palette } from "./colours.js";
import { Picture } from "./picture.js";
import { FAINT, plain, words } from "./pictures.js";
import { CALENDAR, PRESETS } from "./presets.js";

const ROUTE = "/api/v1/sweeps";
const OVER = ["completed", "cancelled", "failed"];
const DAY_YEARS = 1 / 365;
const UNSAID = { risk_free_rate: 0, dividend_yield: 0 }; // as sweeps take it, and markets do not
const OWN = ["scenario", "shock", "seed", "paths", "error"];

export function view(context) {
  const sweeps = new Sweeps(context);
  return { element: sweeps.element, enter: (query) => sweeps.enter(query), leave() {}, close: () => sweeps.following?.abort() };
}

class Sweeps {
  constructor(context) {
    this.context = context;
    this.listed = h("div");
    this.shown = h("div", {}, h("p", { class: "quiet" }, "Start a sweep, or choose one of yours."));
    this.element = h("div", { class: "split" },
      h("aside", { "aria-label": "Sweeps" },
        context.may("research") ? this.#form() : h("p", { class: "quiet" }, "Your key may look, and not start sweeps."),
        h("section", { class: "panel" }, h("h2", {}, "Yours"), this.listed)),
      h("div", {}, h("h1", {}, "Sweeps"), this.shown));
  }

  #form() {
    const names = Object.entries(PRESETS).filter(([id]) => id !== "replay").map(([id, [name]]) => [id, name]);
    const preset = choice(names, "calm", () => axes());
    const first = this.#axis("volatility");
    const second = this.#axis("");
    const measures = h("input", { type: "text", value: "terminal_price, max_drawdown, realised_volatility" });
    const steps = h("input", { type: "number", min: "1", max: "10000", value: "60" });
    const paths = h("input", { type: "number", min: "1", max: "1000000", value: "500" });
    const seed = h("input", { type: "text", inputmode: "numeric", value: "7" });
    const pasted = h("textarea", { rows: "8", spellcheck: "false", placeholder: "base:\n  symbol: SPX\n  …" });
    const problem = h("p", { class: "field-problem", role: "alert" });
    const baseOf = () => {
      const base = structuredClone({ ...PRESETS[preset.value][2], steps: Number(steps.value), seed: Number(seed.value) });
      Object.values(base.method)[0].dt = DAY_YEARS; // a sweep has no time frame to tell it by
      return base;
    };
    function axes() {
      const { method } = PRESETS[preset.value][2];
      const [[, parameters]] = Object.entries(method);
      for (const axis of [first, second]) axis.offer(["volatility", "risk_free_rate", "initial_price", ...Object.keys(parameters).filter((name) => name !== "volatility").map((name) => `method.${name}`)]);
      first.write("volatility", 0.1, 0.4, 5);
      second.write("", 0, 0.1, 3);
    }
    axes();
    const definitionOf = () => ({
      base: baseOf(),
      grid: Object.fromEntries([first, second].map((axis) => axis.read()).filter(Boolean)),
      measures: measures.value.split(",").map((name) => name.trim()).filter(Boolean),
      paths: Number(paths.value),
    });
    const submit = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      try {
        const text = pasted.value.trim();
        await this.start(text || definitionOf());
      } catch (error) {
        if (error.status !== 400) { tellProblem(error); return; }
        problem.textContent = error.message;
      }
    };
    const written = h("details", {}, h("summary", {}, "Or paste YAML or JSON"),
      labelled("Definition", pasted, "As “optionchain sweep” reads it. Where there is one, the form above does not count."));
    this.paste = (text) => {
      pasted.value = text;
      written.open = true;
    };
    return h("form", { class: "panel", onsubmit: submit, novalidate: true },
      labelled("Market", preset), first.element, second.element,
      labelled("Measures", measures, "Names, with commas between them"),
      labelled("Steps", steps), labelled("Paths of each scenario", paths), labelled("Seed", seed),
      written, problem, h("button", { type: "submit", class: "main" }, "Start"));
  }

  #axis(chosen) {
    const name = h("select");
    const [low, high, points] = [0.1, 0.4, 5].map((value) => h("input", { type: "number", step: "any", value: String(value) }));
    const element = h("fieldset", {}, h("legend", {}, "Vary"), labelled("Parameter", name),
      h("div", { class: "bar" }, labelled("From", low), labelled("To", high), labelled("Points", points)));
    return {
      element,
      offer(names) { fill(name, h("option", { value: "" }, "nothing"), names.map((each) => h("option", { value: each, selected: each === chosen }, each))); },
      write(which, from, to, count) { name.value = which; [low.value, high.value, points.value] = [from, to, count]; },
      read: () => (name.value ? [name.value, { from: Number(low.value), to: Number(high.value), points: Number(points.value) }] : null),
    };
  }

  async start(definition) {
    const isText = typeof definition === "string";
    const isJson = isText && definition.startsWith("{");
    const headers = isText ? { "Content-Type": isJson ? "application/json" : "application/yaml" } : {};
    const sweep = await this.context.api.post(ROUTE, definition, { headers });
    over("problem");
    this.open(sweep);
    this.list().catch(tellProblem);
  }

  // A link fills the form in, and starts nothing.
  async enter(query) {
    if (query.has("of") && this.paste) this.paste(encode(unpacked(query.get("of")), 2));
    await this.list();
  }

  async list() {
    const { data } = await this.context.api.get(ROUTE, { limit: 50 });
    fill(this.listed, data.length === 0 ? h("p", { class: "quiet" }, "None yet.") : h("ul", { class: "plain" }, data.map((sweep) =>
      h("li", {}, button(`${numbers.instant(sweep.submitted_at)} · ${sweep.scenarios} × ${numbers.whole(sweep.paths)} · ${sweep.state}`, () => this.open(sweep), { class: "plain link" })))));
  }

  // Follows a sweep until it is over, and shows its table then.
  async open(sweep) {
    this.following?.abort();
    const following = this.following = new AbortController();
    const bar = h("progress", { max: "1", "aria-label": "Progress" });
    const words = h("p", { role: "status" });
    const cancel = button("Cancel", () => this.context.api.delete(`${ROUTE}/${sweep.id}`).catch(tellProblem));
    const goOn = button("Go on", () => this.#definition(sweep).then((definition) => this.start(definition)).catch(tellProblem));
    const result = h("div");
    fill(this.shown, h("section", { class: "panel" }, h("h2", {}, `Sweep ${sweep.id.slice(0, 8)}`), bar, words, h("div", { class: "bar" }, cancel, goOn)), result);
    const show = (now) => {
      bar.value = now.progress?.share ?? (now.state === "completed" ? 1 : 0);
      const { progress } = now;
      words.textContent = [now.state, `${now.scenarios} scenarios of ${numbers.whole(now.paths)} paths`,
        progress && `${numbers.percent(progress.share)}`,
        progress?.seconds_left && !OVER.includes(now.state) && `${Math.ceil(progress.seconds_left)} s left`,
        progress?.failures > 0 && `${progress.failures} failed`, now.error].filter(Boolean).join(" · ");
      cancel.hidden = OVER.includes(now.state) || !this.context.may("research");
      goOn.hidden = now.state !== "cancelled" || !this.context.may("research");
    };
    show(sweep);
    try {
      let last = sweep;
      if (!OVER.includes(sweep.state)) {
        for await (const event of this.context.api.events(`${ROUTE}/${sweep.id}/events`, { signal: following.signal })) {
          last = JSON.parse(event.data);
          show(last);
          if (OVER.includes(last.state)) break;
        }
        if (following.signal.aborted) return;
        this.list().catch(tellProblem);
      }
      if (last.state === "failed") return;
      const [rows, definition] = await Promise.all([
        this.context.api.exact("GET", `${ROUTE}/${sweep.id}/results`, { query: { format: "json" } }), this.#definition(sweep)]);
      if (!following.signal.aborted) this.#results(sweep, rows, definition, result);
    } catch (error) {
      if (!following.signal.aborted) tellProblem(error);
    }
  }

  // As it was started, wherever that was.
  #definition(sweep) { return this.context.api.exact("GET", `${ROUTE}/${sweep.id}/definition`); }

  #results(sweep, rows, definition, place) {
    if (rows.length === 0) { fill(place, h("p", { class: "quiet" }, "Nothing was computed.")); return; }
    const columns = Object.keys(rows[0]);
    const end = columns.indexOf("seed") >= 0 ? columns.indexOf("seed") : 1;
    const varied = columns.slice(0, end).filter((name) => !OWN.includes(name));
    const statistics = columns.slice(end).filter((name) => !OWN.includes(name) && typeof rows.find((row) => row[name] !== null)?.[name] === "number");
    const canOpen = this.context.may("trade");
    const session = (row) => this.#session(definition, varied, row);
    const table = new BigTable(`${numbers.whole(rows.length)} scenarios`, canOpen ? session : null);
    this.picture?.destroy();
    const picture = this.picture = new Picture("Statistic over the parameters", { tall: true });
    const axis = (chosen) => choice(varied.length ? varied : ["scenario"], chosen, () => draw());
    const statistic = choice(statistics, statistics.find((name) => name.endsWith("_mean")) ?? statistics[0], () => draw());
    const x = axis(varied[0]);
    const y = axis(varied[1] ?? varied[0]);
    const isMap = () => x.value !== y.value && varied.length > 1;
    const draw = () => {
      picture.label(`${words(statistic.value)} by ${x.value}${isMap() ? ` and ${y.value}` : ""}`);
      picture.show(...(isMap() ? heatMap(rows, x.value, y.value, statistic.value) : bands(rows, x.value, statistic.value, statistics)));
    };
    if (canOpen) {
      picture.onChoice((point) => {
        const row = rows.find((each) => label(each[x.value]) === label(point.x) && (!isMap() || label(each[y.value]) === label(point.y)));
        if (row) session(row);
      }, (point) => `${x.value} ${label(point.x)}${isMap() ? `, ${y.value} ${label(point.y)}` : ""}: ${numbers.general(isMap() ? point.z : point.y)}`);
    }
    const save = (format) => this.context.api.download(`${ROUTE}/${sweep.id}/results`, { format }, `${sweep.id}.${format}`);
    fill(place,
      h("section", { class: "panel" }, h("div", { class: "bar" }, labelled("Statistic", statistic), labelled("Across", x), labelled("Down", y)), picture.element,
        canOpen && h("p", { class: "quiet" }, "A cell, or the first column of a row, opens a path of its scenario in Market.")),
      h("section", { class: "panel" }, table.element), exportBar("Export the table:", save),
      codePanel(() => sweepCode(definition), () => linkTo("sweeps", { of: pack(definition) }), "this sweep").element);
    table.show(columns, rows);
    draw();
  }

  // The first path of a scenario as a market of its own.
  #session(definition, varied, row) {
    const { days_to_expiration: days, ...base } = structuredClone(definition.base);
    const { schedules, timezone, expiration_time, ...time } = CALENDAR;
    const request = { ...UNSAID, ...time, ...base };
    if (!request.schedules) {
      Object.assign(request, { schedules, timezone, expiration_time });
      tell("expirations", `The path is that of the scenario; its expirations are those of a calendar, and not one of ${numbers.general(days)} days.`);
    }
    if (row.shock) tell("shock", `The path is that of the scenario before its shock, ${row.shock}.`, { kind: "warning" });
    for (const name of varied) assign(request, name, row[name]);
    Object.assign(request, { seed: row.seed, path: 0 });
    this.context.open("market", { of: pack({ request, step: 0 }) });
  }
}

// `method.kappa` is within the object of the model; a volatility is the model's as well.
function assign(request, name, value) {
  const [[, parameters]] = Object.entries(request.method);
  if (name.startsWith("method.")) parameters[name.slice("method.".length)] = value;
  else {
    request[name] = value;
    if (name === "volatility" && "volatility" in parameters) parameters.volatility = value;
  }
}

const distinct = (rows, name) => [...new Set(rows.map((row) => row[name]))].sort((one, other) => (typeof one === "number" ? one - other : String(one).localeCompare(String(other))));
const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null);

function heatMap(rows, x, y, statistic) {
  const [across, down] = [distinct(rows, x), distinct(rows, y)];
  const cells = Map.groupBy(rows.filter((row) => row[statistic] !== null), (row) => JSON.stringify([row[x], row[y]]));
  const z = down.map((below) => across.map((beside) => mean((cells.get(JSON.stringify([beside, below])) ?? []).map((row) => row[statistic]))));
  return [[{ type: "heatmap", x: across.map(label), y: down.map(label), z, colorscale: palette().scale, xgap: 1, ygap: 1,
    texttemplate: across.length <= 12 ? "%{z:.4g}" : undefined }],
  { xaxis: { title: { text: plain(x) }, type: "category" }, yaxis: { title: { text: plain(y) }, type: "category" } }];
}

const label = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : plain(value));

// A statistic by a parameter; of a measure with quantiles, these as bands behind its mean.
function bands(rows, x, statistic, statistics) {
  const { accent } = palette();
  const at = distinct(rows, x);
  const groups = Map.groupBy(rows, (row) => row[x]);
  const line = (name) => at.map((value) => mean(groups.get(value).map((row) => row[name]).filter((each) => each !== null)));
  const measure = statistic.replace(/_(mean|std_error|std|min|max|q[\d_.]+|value_at_risk|expected_shortfall)$/, "");
  const levels = statistics.filter((name) => name.startsWith(`${measure}_q`));
  const traces = [];
  for (let pair = 0; pair < Math.floor(levels.length / 2); pair++) {
    const fill_ = { mode: "lines", line: { width: 0 }, hoverinfo: "skip" };
    traces.push({ x: at, y: line(levels[pair]), ...fill_ });
    traces.push({ x: at, y: line(levels[levels.length - 1 - pair]), ...fill_, fill: "tonexty", fillcolor: accent + FAINT[Math.min(pair, 2)] });
  }
  traces.push({ x: at, y: line(statistic), mode: "lines+markers", line: { color: accent }, name: plain(statistic) });
  return [traces, { xaxis: { title: { text: plain(x) } }, yaxis: { title: { text: plain(statistic.replaceAll("_", " ")) } } }];
}
