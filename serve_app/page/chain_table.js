// The chain as traders know it: calls, strike, puts. What is in sight is written in place, and only where it changed.

import { fill, h } from "./elements.js";
import * as numbers from "./numbers.js";
import { termsOfChain } from "./terms.js";

const ROW_REM = 1.65; // as in page.css
const AROUND = 6; // rows beyond what is in sight
const HEADS = 2;
const GREEKS = ["gamma", "theta", "vega"];
const NAMES = { delta: "Delta", implied_volatility: "IV", bid: "Bid", ask: "Ask", gamma: "Gamma", theta: "Theta", vega: "Vega" };
const FORMS = { bid: numbers.price, ask: numbers.price, implied_volatility: numbers.percent };

function valueOf(contract, side, name) {
  if (name === "implied_volatility" || name === "gamma") return contract[name];
  const own = contract[side];
  return name in own ? own[name] : own.greeks?.[name];
}

export class ChainTable {
  constructor() {
    this.caption = h("caption");
    this.head = h("thead");
    this.body = h("tbody");
    this.table = h("table", {}, this.caption, this.head, this.body);
    this.element = h("div", { class: "scroll chain", role: "region", "aria-label": "Option chain", tabindex: "0",
      onscroll: () => this.#soon() }, this.table);
    this.rows = [];
    this.columns = [];
    this.lines = [];
    this.shown = "";
    this.isWaiting = false;
    new ResizeObserver(() => this.#soon()).observe(this.element);
  }

  // `key` names the expiration and the market: changes are lit where it stays the same.
  show(snapshot, chain, { key, hasGreeks, terms }) {
    const calls = [...(hasGreeks ? [...GREEKS].reverse() : []), "delta", "implied_volatility", "bid", "ask"];
    if (calls.join() !== this.columns.join()) this.#heads(calls);
    const spot = snapshot.underlying.price;
    this.caption.textContent = [`${snapshot.underlying.symbol} ${numbers.price(spot)} at ${numbers.instant(snapshot.simulated_at)}`,
      `expiring ${numbers.instant(chain.expires_at)}`, ...termsOfChain(chain), ...terms].join(", ");
    const before = key === this.shown ? new Map(this.lines.map((line) => [line.strike, line.values])) : new Map();
    this.lines = chain.contracts.map((contract) => ({
      strike: contract.strike,
      isBelow: contract.strike < spot,
      values: [...this.columns.map((name) => valueOf(contract, "call", name)), ...[...this.columns].reverse().map((name) => valueOf(contract, "put", name))],
      earlier: before.get(contract.strike),
    }));
    this.nearest = this.lines.reduce((best, line, at) => (Math.abs(line.strike - spot) < Math.abs(this.lines[best].strike - spot) ? at : best), 0);
    this.table.setAttribute("aria-rowcount", String(this.lines.length + HEADS));
    const isAnother = key !== this.shown;
    this.shown = key;
    this.#draw();
    if (isAnother) this.#centre();
  }

  #heads(calls) {
    this.columns = calls;
    const side = (names) => names.map((name) => h("th", { scope: "col" }, NAMES[name]));
    fill(this.head,
      h("tr", {}, h("th", { colspan: String(calls.length), scope: "colgroup" }, "Calls"), h("td"),
        h("th", { colspan: String(calls.length), scope: "colgroup" }, "Puts")),
      h("tr", {}, side(calls), h("th", { scope: "col" }, "Strike"), side([...calls].reverse())));
    const space = () => h("tr", { class: "space", "aria-hidden": "true" }, h("td", { colspan: String(2 * calls.length + 1) }));
    [this.above, this.below] = [space(), space()];
    fill(this.body, this.above, this.below);
    this.table.style.minWidth = `${4.2 * (2 * calls.length + 1)}rem`;
    this.rows = [];
    this.lines = [];
  }

  #soon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => { this.isWaiting = false; this.#look(); this.#draw(); });
  }

  // What is in sight; asked for only where it may have changed, for the answer takes a layout of the page.
  #look() {
    const high = ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.sight = { high, top: this.element.scrollTop, rows: Math.ceil((this.element.clientHeight || 400) / high) + 2 * AROUND };
  }

  // Only the rows in sight are elements, and their cells are written only where they change.
  #draw() {
    if (this.columns.length === 0) return;
    if (!this.sight) this.#look();
    const { high, top, rows } = this.sight;
    const first = Math.max(Math.min(Math.floor(top / high) - AROUND, this.lines.length - rows), 0);
    const some = this.lines.slice(first, first + rows);
    this.#rows(some.length);
    this.above.firstChild.style.height = `${first * high}px`;
    this.below.firstChild.style.height = `${(this.lines.length - first - some.length) * high}px`;
    some.forEach((line, at) => this.#write(this.rows[at], line, first + at));
  }

  #rows(count) {
    while (this.rows.length > count) this.rows.pop().element.remove();
    while (this.rows.length < count) {
      const strike = h("th", { scope: "row" });
      const cells = Array.from({ length: 2 * this.columns.length }, () => h("td"));
      const element = h("tr", {}, cells.slice(0, this.columns.length), strike, cells.slice(this.columns.length));
      for (const each of [strike, ...cells]) each.append("");
      this.rows.push({ element, strike, cells });
      this.below.before(element);
    }
  }

  #write({ element, strike, cells }, line, at) {
    const half = this.columns.length;
    mark(element, "class", at === this.nearest ? "atm" : null);
    mark(element, "aria-current", at === this.nearest ? "true" : null);
    mark(element, "aria-rowindex", String(at + 1 + HEADS));
    write(strike, numbers.strike(line.strike));
    line.values.forEach((value, cell) => {
      const name = cell < half ? this.columns[cell] : this.columns[2 * half - 1 - cell];
      write(cells[cell], (FORMS[name] ?? numbers.greek)(value));
      mark(cells[cell], "class", (cell < half) === line.isBelow ? "itm" : null);
      const was = line.earlier?.[cell];
      mark(cells[cell], "data-move", was === undefined || was === value ? null : value > was ? "up" : "down");
    });
  }

  #centre() {
    const high = this.element.scrollHeight / Math.max(this.lines.length + HEADS, 1);
    this.element.scrollTop = (this.nearest + HEADS) * high - this.element.clientHeight / 2;
    this.element.scrollLeft = (this.element.scrollWidth - this.element.clientWidth) / 2; // strikes are in the middle
    this.#look();
    this.#draw();
  }
}

function write(cell, text) {
  const node = cell.firstChild;
  if (node.data !== text) node.data = text;
}

function mark(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
