// Two markets beside each other: stepped together, drawn on the same axes.

import { codePanel, marketCode, requestOf } from "./code.js";
import { palette } from "./colours.js";
import { exportBar } from "./exports.js";
import { button, choice, fill, h, labelled, tabs } from "./elements.js";
import { formOf, resolved } from "./form.js";
import { linkTo, pack, unpacked } from "./links.js";
import { over, tellProblem } from "./notices.js";
import * as numbers from "./numbers.js";
import { Picture } from "./picture.js";
import { atTheMoney, byStrike, plain } from "./pictures.js";
import { PRESETS, newSeed } from "./presets.js";
import { Simulation } from "./simulation.js";
import { seriesOf } from "./terms.js";

const FIELDS = ["symbol", "method", "initial_price", "steps", "time_frame", "seed", "chain_size"];
const HIDDEN = ["effective_start", "tzdb_version", "calendar_version", "rng", "numerics"];
const SIDES = ["A", "B"];
const SHOWN = { picture: "smile", along: "moneyness" };

export function view(context) {
  const { api } = context;
  const forms = h("div", { class: "side" }, h("p", { class: "quiet" }, "Loading the parameters …"));
  const stage = h("div");
  const element = h("div", {}, h("h1", {}, "Compare"), forms, stage);
  let sides = [];
  let pair = [];
  let playing = null;
  let drawn = [];

  async function make() {
    const schema = resolved(await context.openapi(), "SimulationRequest");
    const seed = newSeed();
    sides = SIDES.map((name, at) => {
      const form = formOf(schema, FIELDS, () => both(), { submit: "Create both", hidden: HIDDEN, extra: h("div", { class: "bar" },
        labelled("Preset", choice([["", "Begin with …"], ...Object.entries(PRESETS).map(([id, [title]]) => [id, title])], "",
          (id) => id && form.write({ ...PRESETS[id][2], seed: sides[0].form.read().seed ?? seed }))),
        at === 1 && button("As A", () => form.write(sides[0].form.read()))) });
      const request = structuredClone(PRESETS.calm[2]);
      if (at === 1) { request.volatility = 0.24; request.method.GeometricBrownian.volatility = 0.24; }
      form.write({ ...request, seed });
      return { name, form };
    });
    fill(forms, sides.map(({ name, form }) => h("details", { class: "panel", open: true }, h("summary", {}, `Market ${name}`), form.element)));
  }

  async function both() {
    close();
    over("problem");
    const requests = sides.map(({ form }) => form.read());
    const made = [];
    try {
      for (const request of requests) made.push(await Simulation.create(api, { ...request, seed: request.seed ?? newSeed() }));
    } catch (error) {
      for (const one of made) one.delete();
      throw error;
    }
    pair = made;
    for (const each of forms.querySelectorAll("details.panel")) each.open = false;
    room();
    await step(1);
  }

  let show = () => {};
  function room() {
    const price = new Picture("Prices of both markets");
    const smiles = SIDES.map((name) => new Picture(`Smile of market ${name}`));
    for (const each of drawn) each.destroy();
    drawn = [price, ...smiles];
    const facts = SIDES.map(() => h("dl", { class: "facts" }));
    const play = button("Play", () => { if (playing) pause(); else run(); });
    const count = h("input", { type: "number", min: "1", max: "1000", value: "10", "aria-label": "Steps at once" });
    let looked = {};
    for (const smile of smiles) smile.onZoom((parts) => { looked = Object.keys(parts).length ? { ...looked, ...parts } : {}; show(); });
    let which = "A";
    const bar = tabs("Code of", (id) => { which = id; bar.show(SIDES.map((each) => [each, `Market ${each}`]), which); code.show(); });
    bar.show(SIDES.map((each) => [each, `Market ${each}`]), which);
    const code = codePanel(() => { const one = pair[SIDES.indexOf(which)]; return one && marketCode(requestOf(one.parameters), one.cursor, SHOWN); },
      () => pair.length && linkTo("compare", { of: pack({ requests: pair.map((each) => requestOf(each.parameters)), steps: pair[0].cursor }) }), "these markets");
    fill(stage,
      h("div", { class: "bar", role: "toolbar", "aria-label": "Time" },
        button("Step both", () => step(1).catch(tellProblem), { class: "main" }), play, count, button("Step n", () => step(Number(count.value) || 1).catch(tellProblem))),
      h("section", { class: "panel" }, h("h2", {}, "Prices"), price.element),
      h("div", { class: "side" }, SIDES.map((name, at) => h("section", { class: "panel" }, h("h2", {}, `Market ${name}`), facts[at], smiles[at].element,
        exportBar("Export all steps:", (format) => pair[at].export(format))))),
      bar.element, code.element);
    show = () => {
      const { lines } = palette();
      play.textContent = playing ? "Pause" : "Play";
      price.show(pair.map((one, at) => ({ x: one.prices.map((_, step) => step), y: one.prices, mode: "lines", line: { color: lines[at] },
        name: `${SIDES[at]} ${plain(one.parameters.symbol)}` })), { showlegend: true, xaxis: { title: { text: "step" } }, yaxis: { title: { text: "price" } } });
      const specs = pair.map((one) => byStrike(one.last, "implied_volatility", "moneyness", one.last.chains[0] && seriesOf(one.last.chains[0])));
      const range = (axis) => {
        const all = specs.flatMap(([traces]) => traces.flatMap((trace) => trace[axis]));
        const [low, high] = [Math.min(...all), Math.max(...all)];
        return [low - 0.05 * (high - low), high + 0.05 * (high - low)];
      };
      const [x, y] = [looked.xaxis ?? range("x"), looked.yaxis ?? range("y")];
      specs.forEach(([traces, layout], at) => smiles[at].show(traces, { ...layout, xaxis: { ...layout.xaxis, range: x }, yaxis: { ...layout.yaxis, range: y } }));
      pair.forEach((one, at) => {
        const chain = one.last.chains[0];
        const shown = [["Price", numbers.price(one.last.underlying.price)], ["Volatility", numbers.percent(one.last.underlying.base_volatility)],
          ["At the money", chain ? numbers.percent(atTheMoney(chain, one.last.underlying.price).implied_volatility) : "–"], ["Served", `${one.cursor} of ${one.total}`]];
        fill(facts[at], shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
      });
      code.show();
    };
  }

  async function step(count) {
    await Promise.all(pair.map(async (one) => { one.last = await one.step(count) ?? one.last; }));
    show();
  }

  async function run() {
    const mine = playing = {};
    while (mine === playing && pair.some((one) => !one.isOver)) {
      const began = performance.now();
      try { await step(1); } catch (error) { tellProblem(error); break; }
      await new Promise((resolve) => setTimeout(resolve, Math.max(500 - (performance.now() - began), 0)));
    }
    if (mine === playing) pause();
  }

  function pause() { playing = null; if (pair.length) show(); }
  function close() {
    playing = null;
    for (const one of pair) one.delete();
    pair = [];
  }

  let linked = null;
  async function enter(query) {
    if (!sides.length) await make();
    const of = query.get("of");
    if (!of || of === linked) return;
    const { requests = [], steps } = unpacked(of);
    sides.forEach(({ form }, at) => form.write(requests[at]));
    await both();
    linked = of;
    if (steps > 1) await step(steps - 1);
  }

  return { element, enter, leave: () => pause(), close };
}
