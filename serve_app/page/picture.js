// One picture by plotly.js, which is fetched when the first is drawn; colours are those of the style sheet.

import { palette, whenColoursChange } from "./colours.js";
import { h, newId } from "./elements.js";

let loading = null;

// What draws; the shell of the page is there before it.
function drawing() {
  const script = () => new Promise((resolve, reject) => {
    const element = h("script", { src: new URL("plotly.js", import.meta.url).href });
    element.onload = () => resolve(window.Plotly);
    element.onerror = reject;
    document.head.append(element);
  });
  loading ??= Promise.all([script(), import("./moving.js"), import("./handling.js")])
    .then(([plotly, { Moving }, { handsOf }]) => ({ plotly, Moving, handsOf }))
    .catch(() => {
      loading = null;
      throw new Error("The pictures could not be loaded.");
    });
  return loading;
}

const AXES = ["xaxis", "yaxis"];
const TEXT = 0.8; // by the page's
const LARGEST_IN_SPACE = 14; // or ticks come over titles
const STANDOFF = 8;

function layoutOf(layout, looked, camera) {
  const { ink, paper, grid, axis, lines } = palette();
  const size = Math.round(TEXT * parseFloat(getComputedStyle(document.documentElement).fontSize));
  const any = { gridcolor: grid, linecolor: axis, zerolinecolor: axis, separatethousands: true };
  const line = { ...any, automargin: true, uirevision: false };
  const small = { size: Math.min(size, LARGEST_IN_SPACE) };
  const wall = { ...any, backgroundcolor: paper, color: ink, nticks: 6, tickfont: small };
  const axes = Object.fromEntries(AXES.map((name) => {
    const own = { ...layout[name], ...(looked[name] ? { range: looked[name] } : {}) };
    return [name, { ...line, autorange: !own.range, ...own, title: { standoff: STANDOFF, ...own.title } }]; // else it stays in the room of what moved
  }));
  const scene = layout.scene && {
    ...Object.fromEntries(["xaxis", "yaxis", "zaxis"].map((name) =>
      [name, { ...wall, ...layout.scene[name], title: { font: small, ...layout.scene[name].title } }])),
    aspectmode: "cube", dragmode: false, camera,
  };
  return {
    margin: { l: 50, r: 12, t: 8, b: 40 }, paper_bgcolor: paper, plot_bgcolor: paper, colorway: lines, showlegend: false,
    font: { color: ink, size, family: "system-ui, sans-serif" }, hovermode: "closest", uirevision: "kept", autosize: true,
    ...layout, ...(scene ? { scene } : axes),
  };
}

const all = new Set();
whenColoursChange(() => { for (const each of all) each.again(); });
// A surface is turned by `handling.js`, by keys as by the mouse.
const CONFIG = { displayModeBar: false, scrollZoom: false, doubleClick: "reset" };

// What is shown in quick succession is drawn at the pace that the machine has, the latest last.
export class Picture {
  constructor(label, { tall = false } = {}) {
    this.plot = h("div", { class: tall ? "plot tall" : "plot", "aria-hidden": "true" });
    this.hint = h("small", { class: "hint", id: newId("hint") });
    this.said = h("p", { class: "said", role: "status" });
    this.frame = h("div", {
      class: tall ? "frame tall" : "frame", role: "application", "aria-roledescription": "picture", "aria-label": label, "aria-describedby": this.hint.id, tabindex: "0",
      onkeydown: (event) => { if (!event.ctrlKey && !event.metaKey && !event.altKey && this.hand?.press(event)) event.preventDefault(); },
      onpointerdown: (event) => this.hand?.grab?.(event),
    }, this.plot);
    this.frame.addEventListener("wheel", (event) => this.hand?.roll?.(event), { passive: false });
    this.element = h("div", { class: "picture" }, this.frame, this.hint, this.said);
    this.observer = new ResizeObserver(() => { if (this.drawn && this.plot.clientWidth && this.#size() !== this.size) this.again(); });
    this.observer.observe(this.plot);
    this.looked = {};
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
    if (this.frame.getAttribute("aria-label") !== text) this.frame.setAttribute("aria-label", text);
  }

  // What is done with a point that was chosen, and how it is said.
  onChoice(act, say) { Object.assign(this, { act, say }); }

  // Told which part of each axis is looked at, as `{xaxis: [low, high]}`; of nothing once all of it is.
  onZoom(act) { this.zoomed = act; }

  again() {
    if (!this.spec) return;
    this.moving?.clear();
    this.spec = { ...this.spec };
    this.#soon();
  }

  // The surface is seen from where its camera is now.
  turned() {
    if (this.isTurning) return;
    this.isTurning = true;
    requestAnimationFrame(async () => {
      this.isTurning = false;
      if (!this.plot.layout?.scene) return;
      await this.plotly.relayout(this.plot, { "scene.camera": this.#camera() });
      if (this.spec.isMoving) this.moving.paint(this.spec.traces);
    });
  }

  // Marks a point that was chosen by keys, and says it.
  mark(shape, point) {
    this.plotly.relayout(this.plot, { shapes: [{ ...shape, line: { color: palette().ink, width: 3 } }] });
    this.said.textContent = this.say(point);
  }

  lookAt(parts) {
    this.plotly.relayout(this.plot, Object.fromEntries(Object.entries(parts).map(([axis, range]) => [`${axis}.range`, range])));
  }

  lookAtAll() {
    this.looked = {};
    if (this.zoomed) this.zoomed({});
    else this.again();
  }

  destroy() {
    all.delete(this);
    this.observer.disconnect();
    this.moving?.clear();
    if (this.drawn) this.plotly.purge(this.plot);
  }

  #size() { return `${this.plot.clientWidth} ${this.plot.clientHeight}`; }

  #camera() { return this.turning.camera.of(this.plot.clientWidth, this.plot.clientHeight); }

  async #soon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    try {
      const { plotly, Moving, handsOf } = await drawing();
      if (!this.moving) this.#begin(plotly, Moving, handsOf);
      for (let drawn = null; drawn !== this.spec;) {
        // A picture that takes long is drawn less often: half of the time is for everything else.
        await new Promise((resolve) => setTimeout(resolve, Math.max(this.rested - performance.now(), 0)));
        await new Promise(requestAnimationFrame);
        if (!this.element.isConnected || this.element.offsetParent === null) return;
        drawn = this.spec;
        await this.#draw(drawn);
      }
    } catch (error) {
      this.said.textContent = error.message;
    } finally { this.isWaiting = false; }
  }

  #begin(plotly, Moving, handsOf) {
    this.plotly = plotly;
    this.hands = handsOf(this);
    [this.turning] = this.hands;
    this.moving = new Moving(this.plot, this.turning.camera);
  }

  async #draw({ traces, layout, isMoving }) {
    const began = performance.now();
    this.size = this.#size();
    this.#take(this.hands.find((each) => each.suits({ traces })));
    const whole = async (what, around) => {
      const isNew = around.scene && !this.plot.layout?.scene;
      if (isNew) this.plot.inert = true; // of what it has not drawn yet, plotly fails to find what is under the mouse
      await this.plotly.react(this.plot, what, layoutOf(around, isMoving || this.zoomed ? {} : this.looked, this.#camera()), CONFIG);
      if (isNew) for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      this.plot.inert = false;
    };
    if (isMoving) await this.moving.show(traces, layout, whole);
    else {
      await whole(traces, layout);
      this.moving.clear();
    }
    this.rested = 2 * performance.now() - began;
    this.drawn += 1;
    this.plot.dataset.drawn = String(this.drawn);
    if (!this.isListening) this.#listen();
  }

  #take(hand) {
    if (hand === this.hand) return;
    this.hand = hand;
    this.hint.textContent = hand.hint;
    this.frame.dataset.hand = hand.kind;
    this.said.textContent = "";
  }

  #listen() {
    this.isListening = true;
    this.plot.on("plotly_click", (event) => this.act?.(event.points[0]));
    let isWhole = false;
    this.plot.on("plotly_doubleclick", () => { isWhole = true; });
    this.plot.on("plotly_relayout", (change) => {
      const looked = AXES.filter((axis) => Object.keys(change).some((name) => name.startsWith(`${axis}.range`)));
      if (isWhole) this.lookAtAll();
      else if (looked.length > 0) {
        const parts = Object.fromEntries(looked.map((axis) => [axis, [...this.plot.layout[axis].range]]));
        this.looked = { ...this.looked, ...parts };
        this.zoomed?.(parts);
      }
      isWhole = false;
    });
  }
}
