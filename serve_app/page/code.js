// "As code": the lines that give what is on the screen, for a shell, for the client and for the library.

import { button, fill, h, tabs } from "./elements.js";
import { encode } from "./api.js";

const SERVERS_OWN = ["tzdb_version", "calendar_version", "rng", "numerics", "effective_start"];

// The parameters of an answer as a request: without its nulls, and without what names the server's release.
export function requestOf(parameters) {
  const given = Object.entries(parameters).filter(([name, value]) => value !== null && !SERVERS_OWN.includes(name));
  return Object.fromEntries(given);
}

export function python(value, indent = "") {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (typeof value !== "object") return String(value);
  const inner = `${indent}    `;
  const parts = Array.isArray(value)
    ? value.map((each) => python(each, inner))
    : Object.entries(value).map(([key, each]) => `${python(key)}: ${python(each, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const line = open + parts.join(", ") + close;
  return line.length < 88 ? line : `${open}\n${parts.map((each) => `${inner}${each},\n`).join("")}${indent}${close}`;
}

const given = (request, indent) => Object.entries(request).map(([name, value]) => `${indent}${name}=${python(value, indent)},\n`).join("");
const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const HEADERS = `-H "X-API-Key: $OPTIONCHAIN_KEY"`;
const origin = () => location.origin;

export function marketCode(request, steps) {
  const { method, schedules, timezone, calendar, expiration_time, start_at, time_frame, step_interval_seconds, ...rest } = request;
  const schedule = { timezone, calendar, expiration_time, schedules };
  const count = Math.max(steps, 1);
  return {
    curl: `URL=${origin()}/api/v2/simulations
ID=$(curl -s ${HEADERS} -H 'Content-Type: application/json' $URL \\
  -d ${shell(encode(request))} | cut -d '"' -f 4)
curl -s ${HEADERS} -X POST "$URL/$ID/step?count=${count}"
`,
    client: `import os

from optionchain_client import Client

with Client("${origin()}", os.environ.get("OPTIONCHAIN_KEY")) as client:
    simulation = client.create_simulation(
${given(request, "        ")}    )
    snapshot = simulation.step_many(${count})[-1]
    print(snapshot.simulated_at, snapshot.price, len(snapshot.contracts), "strikes")
`,
    library: `from datetime import datetime, timedelta

from optionchain.expirations import schedule_from_wire
from optionchain.models import model_from_wire
from optionchain.parameters import SimulationParameters
from optionchain.simulation import simulate
from optionchain.time_frame import TimeFrame

simulation = simulate(
    SimulationParameters(
        method=model_from_wire(${python(method, "        ")}),
        expirations=schedule_from_wire(${python(schedule, "        ")}),
        start_at=datetime.fromisoformat(${python(start_at)}),
        time_frame=TimeFrame.from_wire(${python(time_frame)}, "time_frame"),
        step_interval=timedelta(seconds=${step_interval_seconds}),
${given(rest, "        ")}    )
)
chain = simulation.chain(${count - 1})
print(chain.quote_time, chain.underlying_price)
chain.plot_surface().show()
`,
  };
}

export function sweepCode(definition) {
  return {
    curl: `curl -s ${HEADERS} -H 'Content-Type: application/json' ${origin()}/api/v1/sweeps \\
  -d ${shell(encode(definition))}
`,
    client: `import os

from optionchain_client import Client

with Client("${origin()}", os.environ.get("OPTIONCHAIN_KEY")) as client:
    sweep = client.start_sweep(
${given(definition, "        ")}    )
    sweep.wait()
    print(sweep.to_polars())
`,
    library: `from optionchain.sweeps import InProcess, Sweep
from optionchain.sweeps.wire import sweep_from_wire

definition = sweep_from_wire(${python(definition)})
result = Sweep(definition, InProcess()).run()
print(result.to_polars())
`,
  };
}

export function readingCode(path, library) {
  return {
    curl: `curl -s ${HEADERS} ${shell(origin() + path)}\n`,
    client: library,
  };
}

const TITLES = { curl: "curl", client: "Python client", library: "Library" };

// Folded away until it is asked for; `lines()` is asked when it is shown.
export function codePanel(lines, link) {
  const text = h("pre", { tabindex: "0", class: "code", "aria-label": "As code" });
  let shown = "client";
  const bar = tabs("As code", (id) => { shown = id; show(); });
  const copy = button("Copy", async () => {
    await navigator.clipboard?.writeText(text.textContent).catch(() => {});
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  const address = h("p", { class: "quiet" });
  const element = h("details", { class: "panel", ontoggle: () => show() },
    h("summary", {}, "As code"), bar.element, h("div", { role: "tabpanel" }, text), copy, address);
  function show() {
    if (!element.open) return;
    const all = lines();
    if (!all) { text.textContent = "There is nothing to show yet."; return; }
    if (!(shown in all)) [shown] = Object.keys(all);
    bar.show(Object.keys(all).map((id) => [id, TITLES[id]]), shown);
    text.textContent = all[shown];
    const where = link?.();
    fill(address, where && ["A link that makes it again: ", h("a", { href: where }, "this market")]);
  }
  return { element, show };
}
