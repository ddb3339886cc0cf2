// A simulation of the service in the hands of the page: a cursor that moves forward, and any step looked at again.

import { Problem, search } from "./api.js";

const ROUTE = "/api/v2/simulations";
const KEPT = 60; // snapshots, of a megabyte at most each
const CONTRACTS_AN_ANSWER = 100_000;

// What a snapshot says of one of its underlyings; of the first where none is named.
export function ofUnderlying(snapshot, symbol) {
  const other = snapshot.others?.find((each) => each.underlying.symbol === symbol);
  return other ? { ...snapshot, ...other } : snapshot;
}

export class Simulation {
  constructor(api, view) {
    this.api = api;
    this.view = view;
    this.parameters = view.parameters;
    this.total = view.cursor.total_steps;
    this.cursor = view.cursor.current_step;
    this.paths = new Map();
    this.instants = [];
    this.kept = new Map();
    this.contracts = 100;
    this.turn = Promise.resolve();
  }

  static async create(api, request) {
    const view = await api.exact("POST", ROUTE, { body: request, headers: { "Idempotency-Key": crypto.randomUUID() } });
    return new Simulation(api, view);
  }

  // The prices of an underlying that were served, by step.
  pricesOf(symbol) {
    if (!this.paths.has(symbol)) this.paths.set(symbol, []);
    return this.paths.get(symbol);
  }

  get prices() { return this.pricesOf(this.parameters.symbol); }

  get path() { return `${ROUTE}/${this.view.id}`; }
  get isOver() { return this.cursor >= this.total; }

  // The next snapshots; the last of them is returned. Whoever asks meanwhile waits for its turn.
  step(count = 1, greeks = "none") {
    const turn = this.turn.then(() => this.#step(count, greeks));
    this.turn = turn.catch(() => {});
    return turn;
  }

  // What was served and not heard is looked at where it is.
  async #step(count, greeks) {
    let last = null;
    for (let left = Math.min(count, this.total - this.cursor); left > 0; ) {
      const some = Math.min(left, Math.max(Math.floor(CONTRACTS_AN_ANSWER / this.contracts), 1), 1000);
      try {
        const query = { expected_step: this.cursor, greeks, ...(some > 1 ? { count: some } : {}) };
        const answer = await this.api.send("POST", `${this.path}/step`, { query, patience: 30 });
        for (const snapshot of answer.snapshots ?? [answer]) last = this.#take(snapshot, this.cursor, greeks);
      } catch (error) {
        if (error.status !== 412 || error.currentStep === undefined) throw error;
        if (error.currentStep <= this.cursor) { this.cursor = error.currentStep; throw error; }
        for await (const [step, snapshot] of this.stream(this.cursor, error.currentStep - 1, greeks)) last = this.#take(snapshot, step, greeks);
      }
      left -= some;
    }
    return last;
  }

  // A step that was served, whatever the cursor, which stays.
  async at(step, greeks = "none") {
    const key = `${step} ${greeks}`;
    if (!this.kept.has(key)) {
      for await (const [at, snapshot] of this.stream(step, step, greeks)) this.#keep(`${at} ${greeks}`, snapshot);
    }
    if (!this.kept.has(key)) throw new Problem(404, { error: `Step ${step} is not there.` });
    return this.kept.get(key);
  }

  async *stream(first, last, greeks) {
    const leaving = new AbortController();
    try {
      const events = this.api.events(`${this.path}/stream`, { query: { from_step: first, greeks }, signal: leaving.signal });
      for await (const event of events) {
        if (event.name !== "snapshot") return;
        yield [Number(event.id), JSON.parse(event.data)];
        if (Number(event.id) >= last) return;
      }
    } finally { leaving.abort(); }
  }

  fan(paths = 200) { return this.api.get(`${this.path}/fan`, { paths }); }

  async synchronise() {
    const view = await this.api.get(this.path);
    this.cursor = view.cursor.current_step;
  }

  // Also while the page is being closed.
  delete() { return this.api.delete(this.path, { keepalive: true }).catch(() => {}); }

  export(format, dataset = "option_chains") {
    const ending = format === "packed" ? "ocsp" : format;
    return this.api.download(`${this.path}/export`, { format, dataset }, `${this.view.id}_${dataset}.${ending}`);
  }

  exportPath(format) { return `${this.path}/export${search({ format, dataset: "option_chains" })}`; }

  #take(snapshot, step, greeks) {
    snapshot.step = step;
    this.cursor = step + 1;
    for (const { underlying } of [snapshot, ...(snapshot.others ?? [])]) this.pricesOf(underlying.symbol)[step] = underlying.price;
    this.instants[step] = snapshot.simulated_at;
    this.contracts = Math.max(snapshot.chains.reduce((sum, chain) => sum + chain.contracts.length, 0), 1);
    this.#keep(`${step} ${greeks}`, snapshot);
    return snapshot;
  }

  #keep(key, snapshot) {
    snapshot.step ??= Number(key.split(" ")[0]);
    this.kept.delete(key);
    this.kept.set(key, snapshot);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }
}
