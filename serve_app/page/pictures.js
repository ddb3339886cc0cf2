// What the pictures show, as plotly takes it: traces, and the layout around them.

import { palette } from "./colours.js";
import { seriesOf } from "./terms.js";

// What plotly would read as markup is text.
export const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

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
export const words = (name) => name.replaceAll("_", " ");
const title = (name) => ({ text: words(name) });

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
  }], {
    margin: { l: 0, r: 0, t: 0, b: 0 },
    scene: {
      xaxis: { title: title(along), tickformat: PERCENT[along] },
      yaxis: { title: { text: "days" } },
      zaxis: { title: { text: "" }, tickformat: PERCENT[name] },
    },
    // Along the axis there is no room for it.
    annotations: [{ text: words(name), showarrow: false, xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "top" }],
  }];
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
