// A table of any length that stays smooth: only the rows in sight are elements.

import { button, fill, h } from "./elements.js";
import { general } from "./numbers.js";

const ROW = 24;
const AROUND = 8;
const text = (name, value) => (name === "seed" ? String(value) : general(value));

export class BigTable {
  constructor(label, act) {
    this.act = act;
    this.head = h("thead");
    this.body = h("tbody");
    this.table = h("table", {}, h("caption", {}, label), this.head, this.body);
    this.element = h("div", { class: "scroll rows big", role: "region", "aria-label": label, tabindex: "0", onscroll: () => this.#soon() }, this.table);
    this.rows = [];
    this.sorted = null;
  }

  show(columns, rows) {
    this.columns = columns;
    this.rows = [...rows];
    this.sorted = null;
    this.table.setAttribute("aria-rowcount", String(rows.length + 1));
    this.#heads();
    this.#draw(true);
  }

  #heads() {
    fill(this.head, h("tr", {}, this.columns.map((name) => {
      const direction = this.sorted?.name === name ? this.sorted.direction : 0;
      return h("th", { scope: "col", "aria-sort": direction ? (direction > 0 ? "ascending" : "descending") : "none" },
        button(`${name}${direction ? (direction > 0 ? " ▲" : " ▼") : ""}`, () => this.#sort(name), { class: "plain" }));
    })));
  }

  #sort(name) {
    const direction = this.sorted?.name === name ? -this.sorted.direction : 1;
    this.sorted = { name, direction };
    const order = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other)));
    this.rows.sort((one, other) => direction * order(one[name], other[name]));
    this.#heads();
    this.#draw(true);
  }

  #soon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => { this.isWaiting = false; this.#draw(false); });
  }

  #draw(isAnew) {
    const first = Math.max(Math.floor(this.element.scrollTop / ROW) - AROUND, 0);
    const last = Math.min(first + Math.ceil((this.element.clientHeight || 400) / ROW) + 2 * AROUND, this.rows.length);
    if (!isAnew && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const space = (rows) => h("tr", { class: "space", "aria-hidden": "true" }, (() => {
      const cell = h("td", { colspan: String(this.columns.length) });
      cell.style.height = `${rows * ROW}px`;
      cell.style.padding = "0";
      return cell;
    })());
    fill(this.body, first > 0 && space(first), this.rows.slice(first, last).map((row, at) =>
      h("tr", { "aria-rowindex": String(first + at + 2) }, this.columns.map((name, column) =>
        h("td", {}, column === 0 && this.act ? button(general(row[name]), () => this.act(row), { class: "plain link", "aria-label": `${name} ${general(row[name])}: open its path in Market` }) : text(name, row[name]))))),
    last < this.rows.length && space(this.rows.length - last));
  }
}
