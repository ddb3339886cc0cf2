// Pictures by plotly.js, which is fetched when the first is drawn; colours are those of the style sheet.

import { palette, whenColoursChange } from "./colours.js";
import { h } from "./elements.js";
import { seriesOf } from "./terms.js";

let loading = null;

// What draws; the shell of the page is there before it.
function drawing() {
  const script = () => new Promise((resolve, reject) => {
    const element = h("script", { src: new URL("plotly.js", import.meta.url).href });
    element.onload = () => resolve(window.Plotly.react);
    element.onerror = reject;
    document.head.append(element);
  });
  loading ??= Promise.all([script(), import("./moving.js")]).then(([react, { Moving }]) => ({ react, Moving })).catch(() => {
    loading = null;
    throw new Error("The pictures could not be loaded.");
  });
  return loading;
}

// What plotly would read as markup is text.
export const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function layoutOf(layout) {
  const { ink, paper, grid, axis, lines } = palette();
  const line = { gridcolor: grid, linecolor: axis, zerolinecolor: axis, automargin: true };
  const wall = { ...line, backgroundcolor: paper, color: ink };
  const axes = Object.fromEntries(Object.entries(layout).filter(([name]) => /^[xy]axis\d?$/.test(name))
    .map(([name, own]) => [name, { ...line, autorange: !own.range, ...own }])); // else it stays in the room of what moved
  return {
    margin: { l: 50, r: 12, t: 8, b: 40 }, paper_bgcolor: paper, plot_bgcolor: paper, colorway: lines, showlegend: false,
    font: { color: ink, size: 12, family: "system-ui, sans-serif" }, hovermode: "closest", uirevision: "kept",
    xaxis: line, yaxis: line, ...layout, ...axes,
    ...(layout.scene ? { scene: Object.fromEntries([...["xaxis", "yaxis", "zaxis"].map((name) => [name, { ...wall, ...layout.scene[name] }]),
      ["camera", layout.scene.camera ?? { eye: { x: 1.5, y: -1.5, z: 0.65 }, center: { x: 0, y: 0, z: -0.15 } }], ["uirevision", "kept"]]) } : {}),
  };
}

const all = new Set();
whenColoursChange(() => { for (const each of all) each.again(); });
const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset" };

// One picture. What is shown in quick succession is drawn at the pace that the machine has, the latest last.
export class Picture {
  constructor(label, { tall = false } = {}) {
    this.plot = h("div", { class: tall ? "plot tall" : "plot" });
    this.element = h("div", { class: "picture", role: "img", "aria-label": label }, this.plot);
    this.moving = null;
    this.isWaiting = false;
    this.drawn = 0;
    this.rested = 0;
    all.add(this);
  }

  // Of what moves fast another is shown within moments: it is drawn lightly, and nothing in it can be pointed at.
  show(traces, layout = {}, { isMoving = false } = {}) {
    this.spec = { traces, layout, isMoving };
    this.#soon();
  }

  label(text) {
    if (this.element.getAttribute("aria-label") !== text) this.element.setAttribute("aria-label", text);
  }

  onClick(act) { this.act = act; }

  // Told which part of each axis is looked at, as `{xaxis: [low, high]}`; of nothing once all of it is.
  onZoom(act) { this.zoomed = act; }

  again() {
    if (!this.spec) return;
    this.moving?.clear();
    this.spec = { ...this.spec };
    this.#soon();
  }

  async #soon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    try {
      const { react, Moving } = await drawing();
      this.moving ??= new Moving(this.plot, () => this.again());
      for (let drawn = null; drawn !== this.spec;) {
        // A picture that takes long is drawn less often: half of the time is for everything else.
        await new Promise((resolve) => setTimeout(resolve, Math.max(this.rested - performance.now(), 0)));
        await new Promise(requestAnimationFrame);
        if (!this.element.isConnected || this.element.offsetParent === null) return;
        drawn = this.spec;
        await this.#draw(react, drawn);
      }
    } catch (error) {
      this.plot.textContent = error.message;
    } finally { this.isWaiting = false; }
  }

  async #draw(react, { traces, layout, isMoving }) {
    const began = performance.now();
    const whole = (what, around) => react(this.plot, what, layoutOf(around), CONFIG);
    if (isMoving) await this.moving.show(traces, layout, whole);
    else {
      await whole(traces, layout);
      this.moving.clear();
    }
    this.rested = 2 * performance.now() - began;
    this.drawn += 1;
    this.plot.dataset.drawn = String(this.drawn);
    if (this.isListening) return;
    this.isListening = true;
    this.plot.on("plotly_click", (event) => this.act?.(event.points[0]));
    let isWhole = false;
    this.plot.on("plotly_doubleclick", () => { isWhole = true; });
    this.plot.on("plotly_relayout", (change) => {
      const parts = ["xaxis", "yaxis"].filter((axis) => `${axis}.range[0]` in change || `${axis}.range` in change)
        .map((axis) => [axis, change[`${axis}.range`] ?? [change[`${axis}.range[0]`], change[`${axis}.range[1]`]]]);
      if (isWhole || parts.length > 0) this.zoomed?.(isWhole ? {} : Object.fromEntries(parts));
      isWhole = false;
    });
    this.plot.on("plotly_relayouting", () => this.moving.paint(this.spec.traces));
  }

  destroy() {
    all.delete(this);
    this.moving?.destroy();
    if (this.drawn) window.Plotly?.purge(this.plot);
  }
}

const ALONG = {
  strike: (contract) => contract.strike,
  delta: (contract) => contract.call.delta,
  moneyness: (contract, spot) => contract.strike / spot,
};
const OF = {
  implied_volatility: (contract) => contract.implied_volatility,
  gamma: (contract) => contract.gamma,
};
const numberOf = (name) => OF[name] ?? ((contract) => contract.call[name] ?? contract.call.greeks?.[name]);
const PERCENT = { implied_volatility: ".1%", moneyness: ".0%" };
const title = (name) => ({ text: name.replaceAll("_", " ") });

const live = (snapshot) => snapshot.chains.filter((chain) => chain.contracts.length);

// A number of the contracts, a line for each expiration; the chosen one stands out.
export function byStrike(snapshot, name, along, chosen) {
  const { accent, axis } = palette();
  const chains = live(snapshot);
  const traces = chains.map((chain) => ({
    x: chain.contracts.map((contract) => ALONG[along](contract, snapshot.underlying.price)),
    y: chain.contracts.map(numberOf(name)),
    name: plain(chain.expires_at.slice(0, 10)), mode: "lines",
    line: seriesOf(chain) === chosen ? { color: accent, width: 3 } : { color: axis, width: 1 },
  }));
  traces.sort((one, other) => one.line.width - other.line.width);
  return [traces, {
    xaxis: { title: title(along), tickformat: PERCENT[along] },
    yaxis: { title: title(name), tickformat: PERCENT[name] },
  }];
}

export function atTheMoney(chain, spot) {
  return chain.contracts.reduce((best, each) => (Math.abs(each.strike - spot) < Math.abs(best.strike - spot) ? each : best));
}

export function termStructure(snapshot) {
  const chains = live(snapshot);
  return [[{
    x: chains.map((chain) => chain.days_to_expiration),
    y: chains.map((chain) => atTheMoney(chain, snapshot.underlying.price).implied_volatility),
    mode: "lines+markers", line: { color: palette().accent },
  }], { xaxis: { title: { text: "days to expiration" }, rangemode: "tozero" }, yaxis: { title: title("implied_volatility"), tickformat: ".1%" } }];
}

export function surface(snapshot, name, along) {
  const chains = live(snapshot);
  const widest = Math.max(...chains.map((chain) => chain.contracts.length));
  const padded = (numbers) => [...Array(widest - numbers.length).fill(null), ...numbers];
  const each = (read) => chains.map((chain) => padded(chain.contracts.map((contract) => read(contract, chain))));
  return [[{
    type: "surface", colorscale: palette().scale, showscale: false,
    x: each((contract) => ALONG[along](contract, snapshot.underlying.price)),
    y: each((_, chain) => chain.days_to_expiration),
    z: each(numberOf(name)),
  }], { margin: { l: 0, r: 0, t: 0, b: 0 }, scene: {
    xaxis: { title: title(along), tickformat: PERCENT[along] },
    yaxis: { title: { text: "days" } },
    zaxis: { title: title(name), tickformat: PERCENT[name] },
  } }];
}

// How strong the parts of a fan are, from the outside in, by day and by night.
export const FAINT = ["26", "40", "59"];

// The path so far, over what other paths of the same market do.
export function path(prices, fan, step, total) {
  const { ink, accent } = palette();
  const traces = [];
  if (fan) {
    const steps = fan.prices[0].map((_, at) => at);
    const middle = (fan.levels.length - 1) / 2;
    for (let at = 0; at < middle; at++) {
      const other = fan.levels.length - 1 - at;
      const fill = accent + FAINT[Math.min(at, 2)];
      traces.push({ x: steps, y: fan.prices[at], mode: "lines", line: { width: 0 }, hoverinfo: "skip" });
      traces.push({ x: steps, y: fan.prices[other], mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: fill,
        name: `${fan.levels[at] * 100}–${fan.levels[other] * 100} %`, hoverinfo: "skip" });
    }
    if (Number.isInteger(middle)) traces.push({ x: steps, y: fan.prices[middle], mode: "lines", line: { color: accent, width: 1, dash: "dot" }, hoverinfo: "skip" });
  }
  traces.push({ x: prices.map((_, at) => at), y: prices, mode: "lines", line: { color: accent, width: 2 }, name: "price" });
  if (step !== null && prices[step] !== undefined) {
    traces.push({ x: [step], y: [prices[step]], mode: "markers", marker: { color: ink, size: 9 }, name: "shown" });
  }
  return [traces, { xaxis: { title: { text: "step" }, range: [0, Math.max(total - 1, 1)] }, yaxis: { title: { text: "price" } } }];
}
