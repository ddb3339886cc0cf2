// "As code": the lines that give what is on the screen, for a shell, for the client and for the library.

import { button, h, tabs } from "./elements.js";
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
const byClient = (body) => `import os

from optionchain_client import Client

with Client("${origin()}", os.environ.get("OPTIONCHAIN_KEY")) as client:
${body}`;

// As the library names a number of the contracts, of calls where there are two.
const columnOf = (name) => (["implied_volatility", "gamma", "vega"].includes(name) ? name : `call_${name}`);

const TERM_STRUCTURE = `for days, first, last in zip(chain.days_to_expiration, chain.offsets, chain.offsets[1:]):
    nearest = first + abs(chain.strikes[first:last] - chain.underlying_price).argmin()
    print(f"{days:.1f} days: {chain.implied_volatilities[nearest]:.4f}")`;

function drawnBy({ picture, drawn, along }) {
  if (picture === "term") return TERM_STRUCTURE;
  const value = picture === "smile" ? "" : python(columnOf(drawn));
  return `chain.plot_${picture === "surface" ? "surface" : "smile"}(${[value, `by=${python(along)}`].filter(Boolean).join(", ")}).show()`;
}

// `shown` says which picture of them is on the screen, and which greeks are in the table.
export function marketCode(request, steps, shown) {
  const { method, schedules, timezone, calendar, expiration_time, start_at, time_frame, step_interval_seconds, ...rest } = request;
  const schedule = { timezone, calendar, expiration_time, schedules };
  const count = Math.max(steps, 1);
  const isPlain = (shown.greeks ?? "none") === "none";
  return {
    curl: `URL=${origin()}/api/v2/simulations
ID=$(curl -s ${HEADERS} -H 'Content-Type: application/json' $URL \\
  -d ${shell(encode(request))} | cut -d '"' -f 4)
curl -s ${HEADERS} -X POST "$URL/$ID/step?count=${count}${isPlain ? "" : `&greeks=${shown.greeks}`}"
`,
    client: byClient(`    simulation = client.create_simulation(
${given(request, "        ")}    )
    snapshot = simulation.step_many(${count}${isPlain ? "" : `, greeks=${python(shown.greeks)}`})[-1]
    print(snapshot.simulated_at, snapshot.price, len(snapshot.contracts), "strikes")
`),
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
${drawnBy(shown)}
`,
  };
}

export function sweepCode(definition) {
  return {
    curl: `curl -s ${HEADERS} -H 'Content-Type: application/json' ${origin()}/api/v1/sweeps \\
  -d ${shell(encode(definition))}
`,
    client: byClient(`    sweep = client.start_sweep(
${given(definition, "        ")}    )
    sweep.wait()
    print(sweep.to_polars())
`),
    library: `from optionchain.sweeps import InProcess
from optionchain.sweeps.wire import sweep_from_wire

sweep = sweep_from_wire(${python(definition)})
print(sweep.run(engine=InProcess()).to_polars())
`,
  };
}

// What is only read is read again; `lines` follow within `with Client(...)`.
export function readingCode(paths, lines) {
  return {
    curl: paths.map((path) => `curl -s ${HEADERS} ${shell(origin() + path)}\n`).join(""),
    client: byClient(lines.map((line) => `    ${line}\n`).join("")),
  };
}

// Over plain HTTP from elsewhere, browsers have no clipboard; there the text is selected at least.
async function isCopied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

const TITLES = { curl: "curl", client: "Python client", library: "Library" };

// Folded away until it is asked for; `lines()`, and `link()` for an address that shows `what` again, are asked when it is shown.
export function codePanel(lines, link, what) {
  const text = h("pre", { tabindex: "0", class: "code", "aria-label": "As code" });
  let shown = "client";
  const bar = tabs("As code", (id) => { shown = id; show(); });
  const copy = button("Copy", async () => {
    copy.textContent = await isCopied(text) ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  const key = h("span", {}, "OPTIONCHAIN_KEY holds your API key. ");
  const again = h("a", {}, what);
  const element = h("details", { class: "panel", ontoggle: () => show() },
    h("summary", {}, "As code"), bar.element, h("div", { role: "tabpanel" }, text), copy,
    h("p", { class: "quiet" }, key, "A link that shows it again: ", again));
  function show() {
    if (!element.open) return;
    const all = lines();
    if (!all) { text.textContent = "There is nothing to show yet."; return; }
    if (!(shown in all)) [shown] = Object.keys(all);
    bar.show(Object.keys(all).map((id) => [id, TITLES[id]]), shown);
    if (text.textContent !== all[shown]) text.textContent = all[shown]; // else what is selected in it stays so
    key.hidden = shown === "library";
    again.href = link();
  }
  return { element, show };
}
