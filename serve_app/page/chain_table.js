// The chain as traders know it: calls, strike, puts. Cells are written in place, and only where they changed.

import { fill, h } from "./elements.js";
import * as numbers from "./numbers.js";

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
    this.element = h("div", { class: "scroll chain", role: "region", "aria-label": "Option chain", tabindex: "0" },
      h("table", {}, this.caption, this.head, this.body));
    this.rows = [];
    this.columns = [];
    this.before = new Map();
    this.shown = "";
  }

  // `key` names the expiration and the market: changes are lit where it stays the same.
  show(snapshot, chain, key, hasGreeks) {
    const calls = [...(hasGreeks ? [...GREEKS].reverse() : []), "delta", "implied_volatility", "bid", "ask"];
    if (calls.join() !== this.columns.join()) this.#heads(calls);
    const spot = snapshot.underlying.price;
    const { contracts } = chain;
    this.caption.textContent =
      `${snapshot.underlying.symbol} ${numbers.price(spot)} at ${numbers.instant(snapshot.simulated_at)}, expiring ${numbers.instant(chain.expires_at)}`;
    this.#rows(contracts.length);
    let nearest = 0;
    contracts.forEach((each, at) => { if (Math.abs(each.strike - spot) < Math.abs(contracts[nearest].strike - spot)) nearest = at; });
    const isSame = key === this.shown;
    const after = new Map();
    contracts.forEach((contract, at) => {
      const row = this.rows[at];
      const values = [
        ...this.columns.map((name) => valueOf(contract, "call", name)),
        ...[...this.columns].reverse().map((name) => valueOf(contract, "put", name)),
      ];
      after.set(contract.strike, values);
      const earlier = isSame ? this.before.get(contract.strike) : undefined;
      write(row.strike, numbers.strike(contract.strike));
      mark(row.element, "class", at === nearest ? "atm" : "");
      mark(row.element, "aria-current", at === nearest ? "true" : null);
      const half = this.columns.length;
      values.forEach((value, cell) => {
        const name = cell < half ? this.columns[cell] : this.columns[2 * half - 1 - cell];
        const element = row.cells[cell];
        write(element, (FORMS[name] ?? numbers.greek)(value));
        mark(element, "class", (cell < half) === (contract.strike < spot) ? "itm" : "");
        const was = earlier?.[cell];
        const moved = was === undefined || was === value ? null : value > was ? "up" : "down";
        mark(element, "data-move", moved);
      });
    });
    this.before = after;
    if (!isSame) this.#centre(nearest);
    this.shown = key;
  }

  #heads(calls) {
    this.columns = calls;
    const side = (names) => names.map((name) => h("th", { scope: "col" }, NAMES[name]));
    fill(this.head,
      h("tr", {}, h("th", { colspan: String(calls.length), scope: "colgroup" }, "Calls"), h("td"),
        h("th", { colspan: String(calls.length), scope: "colgroup" }, "Puts")),
      h("tr", {}, side(calls), h("th", { scope: "col" }, "Strike"), side([...calls].reverse())));
    this.body.replaceChildren();
    this.rows = [];
    this.before.clear();
  }

  #rows(count) {
    while (this.rows.length > count) this.rows.pop().element.remove();
    while (this.rows.length < count) {
      const strike = h("th", { scope: "row" });
      const cells = Array.from({ length: 2 * this.columns.length }, () => h("td"));
      const element = h("tr", {}, cells.slice(0, this.columns.length), strike, cells.slice(this.columns.length));
      for (const each of [strike, ...cells]) each.append("");
      this.rows.push({ element, strike, cells });
      this.body.append(element);
    }
  }

  #centre(at) {
    const row = this.rows[at]?.element;
    if (row) this.element.scrollTop = row.offsetTop - this.element.clientHeight / 2;
  }
}

function write(cell, text) {
  const node = cell.firstChild;
  if (node.data !== text) node.data = text;
}

function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
