// History: what is stored, prices and chains of the past, and files dropped in.

import { search } from "./api.js";
import { codePanel, python, readingCode } from "./code.js";
import { palette } from "./colours.js";
import { choice, fill, h, labelled } from "./elements.js";
import { linkTo } from "./links.js";
import { over, tellProblem } from "./notices.js";
import * as numbers from "./numbers.js";
import { Picture } from "./picture.js";
import { plain } from "./pictures.js";

const ROUTE = "/api/v1/historical";
const SHOWN_REJECTS = 20;

export function view({ api, may }) {
  const place = h("div", {}, h("p", { class: "quiet" }, "Loading …"));
  const shown = h("div");
  const element = h("div", {}, h("h1", {}, "History"), place, shown, may("administer") && dropZone());
  let chosen = null;
  let drawn = [];

  async function list(asked = {}) {
    const { data } = await api.get(`${ROUTE}/assets`);
    if (data.length === 0) {
      fill(place, h("p", { class: "card" }, "Nothing is stored yet. “optionchain demo” loads a sample; an administrator may drop a file below."));
      fill(shown);
      return;
    }
    const asset = choice(data.map((each) => [each.asset, `${each.asset}, ${each.from} to ${each.to}`]), asked.asset ?? chosen ?? data[0].asset, (name) => open(data.find((each) => each.asset === name)));
    fill(place, h("div", { class: "bar" }, labelled("Asset", asset)));
    await open(data.find((each) => each.asset === asset.value) ?? data[0], asked);
  }

  // What a link asks for of it, is shown of it: bars, from, to, day.
  async function open(asset, asked = {}) {
    chosen = asset.asset;
    const name = encodeURIComponent(asset.asset);
    const frames = Object.keys(asset.prices);
    const frame = choice(frames, frames.includes(asked.bars) ? asked.bars : frames[0], () => prices());
    const [first, last] = [asked.from ?? asset.from, asked.to ?? asset.to].map((value) => h("input", { type: "date", value, min: asset.from, max: asset.to, onchange: () => prices() }));
    const chart = new Picture(`Prices of ${asset.asset}`);
    const day = h("input", { type: "date", value: asked.day ?? asset.chains?.to, min: asset.chains?.from, max: asset.chains?.to, onchange: () => chain() });
    const smile = new Picture("Smile of the day");
    const table = h("div");
    for (const each of drawn) each.destroy();
    drawn = [chart, smile];
    fill(shown,
      frames.length > 0 && h("section", { class: "panel" }, h("h2", {}, "Prices"),
        h("div", { class: "bar" }, labelled("Bars", frame), labelled("From", first), labelled("To", last)), chart.element),
      asset.chains && h("section", { class: "panel" }, h("h2", {}, `Chains of ${numbers.whole(asset.chains.days)} days`),
        h("div", { class: "bar" }, labelled("Day", day)), smile.element, table),
      codePanel(() => readingCode([
        frames.length > 0 && `${ROUTE}/${name}/prices${search({ timeframe: frame.value, from: first.value, to: last.value })}`,
        asset.chains && `${ROUTE}/${name}/${day.value}`,
      ].filter(Boolean), [
        frames.length > 0 && `print(client.history.prices(${[asset.asset, first.value, last.value].map((each) => python(each)).join(", ")}, timeframe=${python(frame.value)}).to_polars())`,
        asset.chains && `print(client.history.chain(${python(asset.asset)}, ${python(day.value)}))`,
      ].filter(Boolean)),
      () => linkTo("history", { asset: asset.asset, bars: frame.value, from: first.value, to: last.value, day: day.value }), "this history").element);

    async function prices() {
      try {
        const { data } = await api.get(`${ROUTE}/${name}/prices`, { from: first.value, to: last.value, timeframe: frame.value });
        over("problem");
        const { accent, rise, fall } = palette();
        const x = data.map((bar) => bar.time);
        const isWhole = data.every((bar) => bar.open !== null && bar.high !== null && bar.low !== null) && data.length <= 2000;
        chart.show([isWhole
          ? { type: "candlestick", x, open: data.map((bar) => bar.open), high: data.map((bar) => bar.high), low: data.map((bar) => bar.low), close: data.map((bar) => bar.close),
            increasing: { line: { color: rise } }, decreasing: { line: { color: fall } } }
          : { x, y: data.map((bar) => bar.close), mode: "lines", line: { color: accent } }],
        { xaxis: { rangeslider: { visible: false }, type: "date" }, yaxis: { title: { text: "price" } } });
      } catch (error) { tellProblem(error); }
    }

    async function chain() {
      try {
        const found = await api.get(`${ROUTE}/${name}/${day.value}`);
        over("problem");
        const implied = (contract) => contract.call?.implied_volatility ?? contract.put?.implied_volatility ?? null;
        const { lines } = palette();
        smile.show(found.chains.map((each, at) => ({
          x: each.contracts.map((contract) => contract.strike), y: each.contracts.map(implied),
          name: plain(each.expiration), mode: "lines+markers", marker: { size: 4 }, line: { color: lines[at % lines.length] },
        })), { xaxis: { title: { text: "strike" } }, yaxis: { title: { text: "implied volatility" }, tickformat: ".1%" }, showlegend: true });
        const expiration = choice(found.chains.map((each) => each.expiration), found.chains[0]?.expiration, (which) => rows(found, which));
        const body = h("div");
        fill(table, h("div", { class: "bar" }, labelled("Expiration", expiration)), body);
        function rows(all, which) {
          const one = all.chains.find((each) => each.expiration === which);
          fill(body, h("div", { class: "scroll chain", role: "region", "aria-label": "Chain of the day", tabindex: "0" }, h("table", {},
            h("caption", {}, `${all.asset} ${numbers.price(all.underlying.price)} at ${numbers.instant(all.quote_time)}`),
            h("thead", {}, h("tr", {}, ["Call bid", "Call ask", "IV", "Strike", "IV", "Put bid", "Put ask"].map((each) => h("th", { scope: "col" }, each)))),
            h("tbody", {}, one.contracts.map(({ strike, call, put }) => h("tr", {},
              h("td", {}, numbers.price(call?.bid)), h("td", {}, numbers.price(call?.ask)), h("td", {}, numbers.percent(call?.implied_volatility)),
              h("th", { scope: "row" }, numbers.strike(strike)),
              h("td", {}, numbers.percent(put?.implied_volatility)), h("td", {}, numbers.price(put?.bid)), h("td", {}, numbers.price(put?.ask))))))));
        }
        if (found.chains.length) rows(found, expiration.value);
      } catch (error) { tellProblem(error); }
    }

    await Promise.all([frames.length > 0 && prices(), asset.chains && chain()]);
  }

  function dropZone() {
    const asset = h("input", { type: "text", maxlength: "32", placeholder: "the file’s name" });
    const frame = choice(["Day", "Minute", "Hour", "Second", "Week"], "Day");
    const file = h("input", { type: "file", accept: ".csv,.parquet,.gz,.zip", onchange: () => send(file.files[0]) });
    const report = h("div", { role: "status" });
    const zone = h("div", { class: "drop",
      ondragover: (event) => { event.preventDefault(); zone.classList.add("over"); },
      ondragleave: () => zone.classList.remove("over"),
      ondrop: (event) => {
        event.preventDefault();
        zone.classList.remove("over");
        send(event.dataTransfer.files[0]);
      } },
    h("p", {}, "Drop a file of prices or chains here: CSV or Parquet."), labelled("Or choose it", file));

    async function send(given) {
      if (!given) return;
      const name = asset.value.trim() || given.name.replace(/\..*$/, "").toUpperCase();
      fill(report, h("p", { "aria-busy": "true" }, `Importing ${given.name} as ${name} …`));
      try {
        const answer = await api.send("POST", `${ROUTE}/${encodeURIComponent(name)}/imports`, {
          query: { name: given.name, timeframe: frame.value }, body: given, headers: { "Content-Type": "application/octet-stream" }, patience: 600 });
        fill(report, h("p", {}, `${name}: ${numbers.whole(answer.stored)} of ${numbers.whole(answer.rows)} rows stored.`),
          h("ul", {}, answer.notes.map((line) => h("li", {}, line))),
          answer.rejected > 0 && h("details", { open: true }, h("summary", {}, `${numbers.whole(answer.rejected)} rows rejected`),
            h("pre", { class: "code", tabindex: "0", "aria-label": "Rejected rows" }, answer.rejects.slice(0, SHOWN_REJECTS).join("\n"))));
        chosen = name;
        await list();
      } catch (error) {
        fill(report, h("p", { class: "field-problem" }, error.message));
        if (error.status === 429) tellProblem(error);
      } finally { file.value = ""; }
    }

    return h("section", { class: "panel" }, h("h2", {}, "Import"), h("div", { class: "bar" },
      labelled("As the asset", asset), labelled("A bar spans", frame)), zone, report);
  }

  return { element, enter: (query) => { over("problem"); return list(Object.fromEntries(query)); }, leave() {}, close() {} };
}
