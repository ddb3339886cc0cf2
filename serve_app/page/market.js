// The market: made from a form, stepped, played, looked back at; its chain, its path and its pictures.

import { Problem } from "./api.js";
import { ChainTable } from "./chain_table.js";
import { codePanel, marketCode, requestOf } from "./code.js";
import { button, choice, fill, h, labelled, newId, tabs } from "./elements.js";
import { exportBar } from "./exports.js";
import { formOf, resolved } from "./form.js";
import { linkTo, pack, unpacked } from "./links.js";
import { countdown, over, tell, tellProblem } from "./notices.js";
import * as numbers from "./numbers.js";
import { Picture } from "./picture.js";
import { atTheMoney, byStrike, path, surface, termStructure, words } from "./pictures.js";
import { PRESETS, newSeed } from "./presets.js";
import { Simulation, ofUnderlying } from "./simulation.js";
import { seriesName, seriesOf, termsOf } from "./terms.js";

const FIRST_FIELDS = ["symbol", "method", "initial_price", "steps", "time_frame", "seed", "chain_size"];
const PICTURES = [["smile", "Smile"], ["surface", "Surface"], ["term", "Term structure"], ["greek", "By strike"]];
const DRAWN = ["implied_volatility", "delta", "gamma", "theta", "vega", "rho"];
const ALWAYS_SERVED = ["implied_volatility", "delta", "gamma"]; // whatever greeks are asked for
const ALONG = ["strike", "delta", "moneyness"];
const LEVELS = { none: "delta, gamma", first: "first order", all: "all" };
const PATIENCE = 8;
const FAST = 5; // steps a second, from which on plotly could not follow

export function view(context) {
  const market = new Market(context);
  return {
    element: market.element,
    enter: (query, arrival) => market.enter(query, arrival),
    leave: () => market.pause(),
    close: () => market.close(),
  };
}

class Market {
  constructor(context) {
    this.context = context;
    this.simulation = null;
    this.snapshot = null;
    this.shown = null;
    this.underlying = null;
    this.picture = "smile";
    this.drawn = "implied_volatility";
    this.along = "strike";
    this.greeks = "none";
    this.playing = null;
    this.asked = 0;
    this.speed = 2;
    this.aside = h("aside", { "aria-label": "Parameters" }, h("p", { class: "quiet" }, "Loading the parameters …"));
    this.stage = h("div");
    this.element = h("div", { class: "split" }, this.aside, this.stage);
    this.#build();
    this.#empty();
  }

  async enter(query, { isFresh }) {
    if (!this.form) await this.#makeForm();
    this.#draw(); // what was shown when the view was left was not drawn
    const linked = query.get("of");
    if (linked && linked !== this.linked) {
      const { request, step, shown } = unpacked(linked);
      if (PICTURES.some(([id]) => id === shown?.picture)) this.picture = shown.picture;
      if (DRAWN.includes(shown?.drawn)) this.#choose("drawn", shown.drawn);
      if (ALONG.includes(shown?.along)) this.#choose("along", shown.along);
      this.#serve(shown?.greeks in LEVELS ? shown.greeks : this.greeks);
      this.form.write(request);
      const isMade = await this.create(request);
      this.linked = linked;
      if (isMade && step > 0) await this.#steps(step);
    } else if (isFresh && !this.simulation && this.context.may("trade")) {
      this.picture = "surface";
      if (await this.#preset("heston")) this.play();
    }
  }

  async #makeForm() {
    const document = await this.context.openapi();
    const schema = resolved(document, "SimulationRequest");
    const hidden = ["effective_start", "tzdb_version", "calendar_version", "rng", "numerics"];
    const preset = choice([["", "Begin with …"], ...Object.entries(PRESETS).map(([id, [name]]) => [id, name])], "",
      (id) => { if (id) this.form.write({ ...PRESETS[id][2], seed: newSeed() }); });
    this.form = formOf(schema, FIRST_FIELDS, (request) => this.create(request), {
      submit: "Create market", hidden, extra: labelled("Preset", preset),
    });
    this.form.write(this.simulation ? requestOf(this.simulation.parameters) : { ...PRESETS.heston[2], seed: newSeed() });
    const folded = h("details", { class: "panel", open: innerWidth > 800 }, h("summary", {}, "Parameters"), this.form.element);
    fill(this.aside, this.context.may("trade") ? folded : h("p", { class: "quiet" }, "Your key may look, and not make markets."));
  }

  #empty() {
    fill(this.stage, h("section", { class: "card" },
      h("h1", {}, "Make a market"),
      h("p", {}, "Choose one to begin with, or fill in the parameters. Every number follows from them and from the seed."),
      h("div", { class: "presets" }, Object.entries(PRESETS).map(([id, [name, about]]) =>
        h("button", { type: "button", onclick: () => this.#preset(id).then((made) => made && this.play()).catch(tellProblem) },
          h("strong", {}, name), h("small", {}, about))))));
  }

  async #preset(id) {
    const request = { ...PRESETS[id][2], seed: newSeed() };
    this.form?.write(request);
    try { return await this.create(request); } catch (error) { tellProblem(error); return false; }
  }

  async create(request) {
    this.close();
    this.linked = null;
    fill(this.stage, h("p", { class: "quiet", "aria-busy": "true" }, "Making the market …"));
    try {
      this.simulation = await Simulation.create(this.context.api, { ...request, seed: request.seed ?? newSeed() });
      over("problem");
      this.fan = this.shown = this.visible = null;
      this.snapshot = await this.simulation.step(1, this.greeks);
      this.expiration = this.underlying = null;
      fill(this.stage, this.room);
      this.#show();
      this.#fan();
      return true;
    } catch (error) {
      this.#empty();
      throw error;
    }
  }

  close() {
    this.pause();
    this.simulation?.delete();
    this.simulation = null;
    this.snapshot = null;
  }

  async #fan() {
    const { simulation } = this;
    try {
      const fan = await simulation.fan();
      if (simulation === this.simulation) { this.fan = fan; this.#draw(); }
    } catch (error) { tell("fan", `The fan of other paths is not shown: ${error.message}`, { kind: "warning" }); }
  }

  #build() {
    const act = (name) => () => this[name]().catch(tellProblem);
    this.buttons = {
      step: button("Step", () => this.#guarded(() => this.#steps(1)), { class: "main" }),
      many: button("Step n", () => this.#guarded(() => this.#steps(Number(this.count.value) || 1))),
      play: button("Play", () => (this.isPlaying ? this.pause() : this.play())),
      reset: button("Reset", act("reset")),
    };
    this.count = h("input", { type: "number", min: "1", max: "1000", value: "10", "aria-label": "Steps at once" });
    const speed = choice([[1, "1 step/s"], [2, "2 steps/s"], [5, "5 steps/s"], [10, "10 steps/s"], [1000, "as fast as it goes"]], 2,
      (value) => { this.speed = Number(value); });
    speed.setAttribute("aria-label", "Speed");
    this.slider = h("input", { type: "range", min: "0", value: "0", class: "grow", "aria-label": "Step that is shown",
      oninput: () => this.#look(Number(this.slider.value)) });
    this.where = h("output", { class: "quiet" });
    this.facts = h("dl", { class: "facts" });
    this.path = new Picture("Path of the price", { tall: true });
    this.other = new Picture("Smile", { tall: true });
    this.panel = newId("pictures");
    this.pictures = tabs("Pictures", (id) => { this.picture = id; this.#show(); });
    this.underlyings = tabs("Underlyings", (symbol) => { this.underlying = symbol; this.#show(); });
    this.expirations = tabs("Expirations", (id) => { this.expiration = id; this.#show(); });
    this.table = new ChainTable();
    this.table.element.id = newId("chain");
    this.choices = {
      drawn: choice(DRAWN.map((name) => [name, words(name)]), this.drawn, (name) => this.#value(name)),
      along: choice(ALONG, this.along, (name) => { this.along = name; this.#show(); }),
    };
    this.level = choice(Object.entries(LEVELS), "none", (level) => this.#refine(level));
    this.code = codePanel(() => this.visible && this.simulation && marketCode(requestOf(this.simulation.parameters), this.visible.step + 1, this),
      () => this.visible && this.simulation && this.#link(), "this market");
    this.toolbar = h("div", { class: "bar", role: "toolbar", "aria-label": "Time" }, this.buttons.step, this.buttons.play, speed,
      this.count, this.buttons.many, this.buttons.reset, this.slider, this.where);
    this.room = h("div", {},
      h("h1", { class: "sr" }, "Market"),
      this.toolbar,
      this.underlyings.element,
      this.facts,
      h("div", { class: "side" },
        h("section", { class: "panel" }, h("h2", {}, "Price"), this.path.element),
        h("section", { class: "panel" }, this.pictures.element,
          h("div", { class: "bar" }, labelled("Value", this.choices.drawn), labelled("Along", this.choices.along)),
          h("div", { id: this.panel, role: "tabpanel", "aria-label": "Picture" }, this.other.element))),
      h("section", { class: "panel" }, h("h2", {}, "Chain"), this.expirations.element, this.table.element,
        h("div", { class: "bar" }, labelled("Greeks", this.level))),
      exportBar("Export all steps:", (format) => this.simulation.export(format)),
      this.code.element);
  }

  async #steps(count) {
    const { simulation } = this;
    try { this.#arrived(await this.#ask(count), simulation); } finally { this.#busy(-1); }
  }

  // Asks for the next steps; who has shown them says that they are not waited for any more.
  #ask(count) {
    this.#busy(1);
    const asked = this.simulation.step(count, this.greeks);
    asked.catch(() => {}); // whoever awaits it is told
    return asked;
  }

  #busy(more) {
    this.asked += more;
    this.toolbar.setAttribute("aria-busy", String(this.asked > 0));
  }

  #arrived(snapshot, simulation, isWanted = true) {
    if (simulation !== this.simulation) return;
    this.snapshot = snapshot ?? this.snapshot;
    if (isWanted) this.shown = null;
    if (this.shown === null) this.#show();
    else this.#where();
  }

  async #guarded(act) {
    this.pause();
    try { await act(); } catch (error) { await this.#lost(error); }
  }

  async play() {
    if (this.isPlaying || !this.simulation) return;
    // What plays now: who pauses and plays again within a step must not have two of them.
    const playing = this.playing = {};
    this.#controls();
    const { simulation } = this;
    const goesOn = () => playing === this.playing && simulation === this.simulation;
    let ahead = null;
    let due = performance.now();
    while (goesOn() && (ahead || !simulation.isOver)) {
      const asked = ahead ?? this.#ask(1);
      ahead = null;
      try {
        const snapshot = await asked;
        // Where time is short, the next one is on its way while this one is drawn.
        if (goesOn() && this.speed >= FAST && !simulation.isOver) ahead = this.#ask(1);
        this.#arrived(snapshot, simulation);
        over("down");
      } catch (error) {
        if (goesOn() && !await this.#lost(error) && goesOn()) this.pause();
      } finally { this.#busy(-1); }
      due = Math.max(due + 1000 / this.speed, performance.now());
      await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    }
    if (goesOn()) this.pause();
    if (ahead) {
      try { this.#arrived(await ahead, simulation, false); } catch { /* asked for again by whoever goes on */ } finally { this.#busy(-1); }
    }
  }

  get isPlaying() { return this.playing !== null; }

  pause() {
    this.playing = null;
    this.#controls();
    this.#draw();
  }

  // What is to be done about a failure; whether one may go on.
  async #lost(error) {
    if (!(error instanceof Problem)) { tellProblem(error); return false; }
    if (error.status === 429 || error.status === 503) {
      return countdown("down", error.retrySeconds ?? 1, (left) => `${error.status === 429 ? "Too many requests" : "The service is busy"}: on in ${left} s.`);
    }
    if (error.status === 0) return this.#untilItIsBack();
    if (error.status === 404) {
      const request = requestOf(this.simulation.parameters);
      tell("problem", "This market has expired, or was deleted elsewhere.", { kind: "error", action: "Make it again",
        act: () => { over("problem"); this.create(request).catch(tellProblem); } });
      return false;
    }
    if (error.status === 412) { this.#show(); return true; }
    tellProblem(error);
    return false;
  }

  async #untilItIsBack() {
    tell("down", "The service does not answer. This page goes on when it is back.", { kind: "error" });
    for (let wait = 0.5; ; wait = Math.min(wait * 1.5, PATIENCE)) {
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
      if (!this.simulation) return false;
      try {
        await this.context.api.get("/health", {}, { patience: 3 });
        over("down");
        tell("back", "The service is back.");
        setTimeout(() => over("back"), 4000);
        return true;
      } catch { /* not yet */ }
    }
  }

  // Parameters of a simulation never change, so from the beginning means another one of the same.
  async reset() {
    await this.create(requestOf(this.simulation.parameters));
  }

  // Looks at a step that was served; the cursor stays where it is.
  async #look(step) {
    this.pause();
    this.shown = step;
    this.#where();
    try {
      const snapshot = await this.simulation.at(step, this.greeks);
      if (this.shown === step) this.#show(snapshot);
    } catch (error) { this.#lost(error); }
  }

  async #refine(level) {
    this.#serve(level);
    if (this.simulation) await this.#look(this.shown ?? this.simulation.cursor - 1);
  }

  #value(name) {
    this.drawn = name;
    if (this.picture !== "surface") this.picture = "greek";
    if (!ALWAYS_SERVED.includes(name) && this.greeks === "none") this.#refine("first");
    else this.#show();
  }

  // Nothing is drawn that is not served.
  #serve(level) {
    this.greeks = this.level.value = level;
    if (level === "none" && !ALWAYS_SERVED.includes(this.drawn)) this.#choose("drawn", "implied_volatility");
  }

  #choose(what, name) {
    this[what] = this.choices[what].value = name;
  }

  #link() {
    const { picture, drawn, along, greeks } = this;
    return linkTo("market", { of: pack({ request: requestOf(this.simulation.parameters), step: this.visible.step, shown: { picture, drawn, along, greeks } }) });
  }

  #where() {
    const { simulation } = this;
    const last = simulation.cursor - 1;
    const step = this.shown ?? last;
    this.slider.max = String(Math.max(last, 0));
    this.slider.value = String(step);
    this.where.textContent = step < last
      ? `looking back at step ${step}; ${simulation.cursor} of ${simulation.total} served`
      : `${simulation.cursor} of ${simulation.total} served`;
  }

  #controls() {
    const isOver = this.simulation?.isOver ?? true;
    const { step, many, play } = this.buttons;
    step.disabled = many.disabled = isOver;
    play.disabled = isOver && !this.isPlaying;
    play.textContent = this.isPlaying ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(this.isPlaying));
  }

  #show(snapshot = this.shown === null ? this.snapshot : this.visible) {
    if (!snapshot || !this.simulation) return;
    this.visible = snapshot;
    const symbols = [snapshot, ...(snapshot.others ?? [])].map(({ underlying }) => underlying.symbol);
    this.underlyings.element.hidden = symbols.length < 2;
    this.underlyings.show(symbols.map((each) => [each, each]), this.underlying ?? symbols[0]);
    snapshot = ofUnderlying(snapshot, this.underlying);
    this.#controls();
    this.#where();
    this.#numbers(snapshot);
    const live = snapshot.chains;
    const chain = live.find((each) => seriesOf(each) === this.expiration) ?? live[0];
    this.expiration = chain ? seriesOf(chain) : null;
    this.expirations.show(live.map((each) => [seriesOf(each), seriesName(each, numbers.day)]), this.expiration, this.table.element.id);
    if (chain) {
      const { view, parameters } = this.simulation;
      const key = `${view.id} ${snapshot.underlying.symbol} ${this.expiration}`;
      this.table.show(snapshot, chain, { key, hasGreeks: this.greeks !== "none", terms: termsOf(parameters) });
    }
    this.#draw();
    this.code.show();
  }

  #numbers(snapshot) {
    const prices = this.simulation.pricesOf(snapshot.underlying.symbol);
    const step = snapshot.step;
    const change = step > 0 && prices[step - 1] ? snapshot.underlying.price / prices[step - 1] - 1 : null;
    const chain = snapshot.chains[0];
    const facts = [
      ["Underlying", snapshot.underlying.symbol], ["Price", numbers.price(snapshot.underlying.price)],
      ["Change", change === null ? "–" : `${change >= 0 ? "+" : ""}${numbers.percent(change)}`],
      ["Volatility", numbers.percent(snapshot.underlying.base_volatility)],
      ["At the money", chain ? numbers.percent(atTheMoney(chain, snapshot.underlying.price).implied_volatility) : "–"],
      ["Simulated time", numbers.instant(snapshot.simulated_at)],
      ["Strikes", numbers.whole(snapshot.chains.reduce((sum, each) => sum + each.contracts.length, 0))],
      ["Seed", String(this.simulation.parameters.seed)],
    ];
    if (this.facts.children.length !== facts.length) {
      fill(this.facts, facts.map(([name]) => h("div", {}, h("dt", {}, name), h("dd", {}, ""))));
    }
    facts.forEach(([, text], at) => {
      const value = this.facts.children[at].lastChild;
      if (value.textContent !== text) value.textContent = text;
    });
  }

  #draw() {
    if (!this.visible) return;
    const snapshot = ofUnderlying(this.visible, this.underlying);
    const isMoving = this.isPlaying && this.speed >= FAST;
    const { symbol, price } = snapshot.underlying;
    const fan = symbol === this.simulation.parameters.symbol ? this.fan : null; // it is of the first
    this.path.show(...path(this.simulation.pricesOf(symbol), fan, this.shown, this.simulation.total), { isMoving });
    this.path.label(`Path of the price: ${numbers.price(price)} at step ${snapshot.step}${fan ? `, over quantiles of ${fan.paths} other paths` : ""}`);
    this.pictures.show(PICTURES, this.picture, this.panel);
    const pictures = {
      smile: () => byStrike(snapshot, "implied_volatility", this.along, this.expiration),
      greek: () => byStrike(snapshot, this.drawn, this.along, this.expiration),
      term: () => termStructure(snapshot),
      surface: () => surface(snapshot, this.drawn, this.along),
    };
    this.other.show(...pictures[this.picture](), { isMoving });
    this.other.label(`${PICTURES.find(([id]) => id === this.picture)[1]} of ${snapshot.underlying.symbol} at step ${snapshot.step}, ${snapshot.chains.length} expirations`);
  }
}
