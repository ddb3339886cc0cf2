// What the cluster says of itself: what it needs, its nodes and actors, and how fast it answers.

import { button, fill, h } from "./elements.js";
import { readingCode, codePanel } from "./code.js";
import { linkTo } from "./links.js";
import * as numbers from "./numbers.js";
import { tellProblem } from "./notices.js";

const EVERY_SECONDS = 5;
const STEPS = ["/api/v1/chain/step", "/api/v2/simulations/{id}/step"];
const LATENCY = "optionchain_http_request_seconds";

export function view(context) {
  const { api, may } = context;
  const ready = h("div");
  const rates = h("dl", { class: "facts" });
  const cluster = h("div");
  const quotas = h("section", { class: "panel", hidden: true });
  const links = h("p");
  const note = h("p", { class: "quiet" });
  const element = h("div", {}, h("h1", {}, "System"),
    h("div", { class: "side" },
      h("section", { class: "panel" }, h("h2", {}, "What it needs"), ready, links),
      h("section", { class: "panel" }, h("h2", {}, "Requests"), rates, note), quotas),
    h("section", { class: "panel" }, h("h2", {}, "Nodes and actors"), cluster),
    h("div", { class: "bar" }, button("Look again", () => look())),
    codePanel(() => readingCode(["/ready", may("metrics") && "/metrics", may("operate") && "/api/v1/system"].filter(Boolean),
      ["print(client.ready())", may("metrics") && "print(client.metrics())"].filter(Boolean)), () => linkTo("system"), "the system").element);
  let timer = null;
  let before = null;
  let areQuotasOn = may("administer");

  async function look() {
    await Promise.all([showReady(), may("metrics") && showRates(), may("operate") && showCluster(),
      areQuotasOn && showQuotas()]).catch(tellProblem);
  }

  // What the own tenant has taken of what it may. Where there are no quotas, they are asked for once.
  async function showQuotas() {
    try {
      const { tenant, used, limits } = await api.get(`/api/v1/quotas/${encodeURIComponent(context.tenant)}`);
      fill(quotas, h("h2", {}, `Quotas of ${tenant}`), h("dl", { class: "facts" }, Object.entries(limits).map(([name, most]) =>
        h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, `${numbers.whole(used[name])} of ${most === 0 ? "any" : numbers.whole(most)}`)))));
      quotas.hidden = false;
    } catch (error) {
      if (error.status !== 409) throw error;
      areQuotasOn = false;
    }
  }

  async function showReady() {
    const response = await fetch("/ready", { cache: "no-store" }).catch(() => null);
    const body = response && await response.json().catch(() => null);
    const rows = body?.dependencies ?? [{ name: "service", status: "down", reason: "it does not answer" }];
    fill(ready, h("table", {}, h("tbody", {}, rows.map(({ name, status, reason }) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("span", { class: `state ${status}` }, status), reason && ` ${reason}`))))));
  }

  async function showRates() {
    const response = await api.get("/metrics", {}, { raw: true });
    const now = { at: performance.now(), series: seriesOf(await response.text()) };
    const { series } = now;
    const all = (name, labels) => series.filter((each) => each.name === name && (!labels || labels(each.labels)));
    const sum = (name, labels) => all(name, labels).reduce((total, each) => total + each.value, 0);
    const isStep = (labels) => STEPS.includes(labels.route) && labels.status === "200";
    const seconds = before ? (now.at - before.at) / 1000 : null;
    const count = sum(`${LATENCY}_count`);
    // The figures move every ten seconds or so: a rate is over the last time that they did.
    if (!before || count !== before.count) {
      if (before) before.rate = (count - before.count) / seconds;
      before = { at: now.at, count, rate: before?.rate ?? null };
    }
    const facts = [
      ["Requests/s", before.rate === null ? "–" : numbers.general(Math.round(before.rate * 10) / 10)],
      ["Requests in all", numbers.whole(count)],
      ["Step, p50", numbers.milliseconds(quantile(all(`${LATENCY}_bucket`, isStep), 0.5))],
      ["Step, p99", numbers.milliseconds(quantile(all(`${LATENCY}_bucket`, isStep), 0.99))],
      ["Steps served", numbers.whole(sum("optionchain_steps_total"))],
      ["Sessions alive", numbers.whole(sum("optionchain_sessions_alive"))],
    ];
    fill(rates, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    note.textContent = "By the metrics of the whole cluster, a quarter of a minute old at most; latencies since it started.";
  }

  async function showCluster() {
    const report = await api.get("/api/v1/system");
    const table = (caption, heads, rows) => h("div", { class: "scroll rows", role: "region", "aria-label": caption, tabindex: "0" },
      h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads.map((each) => h("th", { scope: "col" }, each)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.map((each) => h("td", {}, each)))))));
    fill(cluster,
      table("Ray nodes", ["Node", "Address", "State", "CPUs"], report.nodes.map((node) =>
        [node.node_id.slice(0, 12), node.address, h("span", { class: `state ${node.alive ? "up" : "down"}` }, node.alive ? "alive" : "dead"), numbers.general(node.cpus)])),
      table("Session actors", ["Actor", "Node", "Sessions in memory", "Memory"], report.actors.map((actor) =>
        [actor.name, actor.node_id.slice(0, 12), numbers.whole(actor.resident_sessions), numbers.bytes(actor.memory_bytes)])),
      report.silent_actors > 0 && h("p", { class: "field-problem" }, `${report.silent_actors} actors did not answer in time.`));
    const named = Object.entries(report.links ?? {});
    fill(links, named.length > 0 && "Elsewhere: ", named.map(([name, address]) => [h("a", { href: address, rel: "noreferrer", target: "_blank" }, name), " "]));
  }

  return {
    element,
    enter() {
      if (!may("operate")) fill(cluster, h("p", { class: "quiet" }, "Your key may not see them: it needs the role operator."));
      if (!may("metrics")) fill(rates, h("p", { class: "quiet" }, "Your key may not read metrics."));
      clearInterval(timer);
      timer = setInterval(look, EVERY_SECONDS * 1000);
      return look();
    },
    leave() { clearInterval(timer); },
    close() { clearInterval(timer); },
  };
}

// The samples of Prometheus' text: name, labels, value.
export function seriesOf(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    const match = /^([a-z_:]\w*)(?:\{(.*)\})? (\S+)/i.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]));
    samples.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return samples;
}

// As Prometheus' histogram_quantile: linear within a bucket.
export function quantile(buckets, level) {
  const counts = new Map();
  for (const { labels, value } of buckets) {
    const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  const bounds = [...counts].sort(([one], [other]) => one - other);
  const total = bounds.at(-1)?.[1] ?? 0;
  if (total === 0) return null;
  let [low, below] = [0, 0];
  for (const [bound, count] of bounds) {
    if (count >= level * total) return bound === Infinity ? low : low + (bound - low) * (level * total - below) / Math.max(count - below, 1e-12);
    [low, below] = [bound, count];
  }
  return low;
}
