// Tasks: what is scheduled and what became of it; paused, resumed, run at once and cancelled by whoever may.

import { codePanel, readingCode } from "./code.js";
import { button, fill, h, labelled } from "./elements.js";
import { linkTo } from "./links.js";
import { over, tellProblem } from "./notices.js";
import * as numbers from "./numbers.js";

const ROUTE = "/api/v1/tasks";
const EVERY_SECONDS = 3;
const LISTED = 100;
const SHOWN_RUNS = 50;
const WELL = { active: "up", succeeded: "up", failed: "down" };

export function view(context) {
  const tasks = new Tasks(context);
  return { element: tasks.element, enter: () => tasks.enter(), leave: () => tasks.leave(), close: () => tasks.leave() };
}

class Tasks {
  constructor({ api, may, openapi }) {
    Object.assign(this, { api, may, openapi });
    this.chosen = null;
    this.needed = {};
    this.listed = h("tbody");
    this.table = table("Your tasks, scheduled last first", ["Name", "Kind", "When", "State", "Next", "Last success", ""], this.listed);
    this.none = h("p", { class: "quiet" }, "Nothing is scheduled.");
    this.runs = h("div");
    this.scheduling = h("div");
    this.element = h("div", {}, h("h1", {}, "Tasks"),
      h("section", { class: "panel" }, this.none, this.table),
      this.runs, this.scheduling,
      codePanel(() => readingCode([ROUTE], ["for task in client.tasks.listed():", '    print(task["id"], task["name"], task["state"], task["next_for"])']),
        () => linkTo("tasks"), "your tasks").element);
  }

  async enter() {
    over("problem");
    if (!this.scheduling.firstChild && this.may("research")) await this.#form();
    this.leave();
    this.timer = setInterval(() => this.look().catch(() => this.leave()), EVERY_SECONDS * 1000);
    await this.look();
  }

  leave() { clearInterval(this.timer); }

  async look() {
    const { data } = await this.api.get(ROUTE, { limit: LISTED });
    this.none.hidden = data.length > 0;
    this.table.hidden = data.length === 0;
    keep(this.listed, data, (task) => this.#row(task));
    const chosen = data.find((each) => each.id === this.chosen);
    if (chosen) await this.#showRuns(chosen);
    else fill(this.runs);
  }

  // What a kind takes is in the OpenAPI document, so that a new kind needs no change here.
  async #form() {
    const { TaskRequest } = (await this.openapi()).components.schemas;
    this.needed = TaskRequest.properties.kind["x-permission"];
    const body = h("textarea", { rows: "16", spellcheck: "false" });
    body.value = JSON.stringify(TaskRequest.examples[0], null, 2);
    const problem = h("p", { class: "field-problem", role: "alert" });
    const schedule = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      try {
        const task = await this.api.send("POST", ROUTE, { body: body.value, headers: {
          "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() } });
        this.chosen = task.id;
        await this.look();
      } catch (error) {
        if (error.status === 400 || error.status === 403) problem.textContent = error.message;
        else tellProblem(error);
      }
    };
    fill(this.scheduling, h("details", { class: "panel" }, h("summary", {}, "Schedule a task"),
      h("form", { onsubmit: schedule }, labelled("Task", body, TaskRequest.properties.kind.description.replaceAll("`", "")),
        problem, h("button", { type: "submit", class: "main" }, "Schedule"))));
  }

  #may(task) { return this.may("research") && this.may(this.needed[task.kind] ?? "administer"); }

  #row(task) {
    const act = (method, what) => async () => {
      try { await this.api.send(method, `${ROUTE}/${task.id}${what}`); await this.look(); } catch (error) { tellProblem(error); }
    };
    const isOver = ["ended", "cancelled"].includes(task.state);
    const acts = this.#may(task) ? [
      task.state !== "cancelled" && button("Run now", act("POST", "/run")),
      task.state === "active" && button("Pause", act("POST", "/pause")),
      task.state === "paused" && button("Resume", act("POST", "/resume")),
      !isOver && button("Cancel", act("DELETE", "")),
    ] : [];
    return [
      button(task.name || task.id.slice(0, 8), () => { this.chosen = task.id; this.look().catch(tellProblem); },
        { class: "plain link" }),
      task.kind, when(task.timing), state(task.state), instant(task.next_for), instant(task.last_success_for),
      h("span", { class: "bar" }, acts),
    ];
  }

  async #showRuns(task) {
    const { data, pagination } = await this.api.get(`${ROUTE}/${task.id}/runs`, { limit: SHOWN_RUNS });
    if (task.id !== this.chosen) return;
    if (this.runs.dataset.of !== task.id || !this.runs.firstChild) {
      this.runs.dataset.of = task.id;
      this.body = h("tbody");
      this.many = h("p", { class: "quiet" });
      fill(this.runs, h("section", { class: "panel" }, h("h2", {}, `Runs of ${task.name || task.id.slice(0, 8)}`), this.many,
        table("Its runs, the latest times first", ["For", "State", "Attempts", "Started", "Ended", "What came of it", ""], this.body)));
    }
    this.many.textContent = data.length === 0 ? "None yet." : `${data.length} of ${numbers.whole(pagination.total)}`;
    const requeue = (run) => async () => {
      try { await this.api.post(`${ROUTE}/${task.id}/runs/${encodeURIComponent(run.id)}/requeue`); await this.look(); } catch (error) { tellProblem(error); }
    };
    keep(this.body, data, (run) => [
      instant(run.scheduled_for), state(run.state), String(run.attempts), instant(run.started_at), instant(run.ended_at),
      h("span", {}, run.error ?? (run.result ? JSON.stringify(run.result) : "–"),
        run.log.length > 0 && h("details", {}, h("summary", {}, "log"), h("pre", { class: "code", tabindex: "0", "aria-label": "Log" }, run.log.join("\n")))),
      run.state === "failed" && this.#may(task) && button("Try again", requeue(run)),
    ]);
  }
}

// Rows of what is listed; one of which nothing has changed keeps its elements, and with them the focus.
function keep(body, data, cellsOf) {
  const rows = new Map([...body.children].map((row) => [row.dataset.id, row]));
  data.forEach((each, at) => {
    const said = JSON.stringify(each);
    let row = rows.get(each.id);
    if (row?.said !== said) {
      const fresh = h("tr", { "data-id": each.id }, cellsOf(each).map((cell) => h("td", {}, cell)));
      fresh.said = said;
      row?.replaceWith(fresh);
      row = fresh;
    }
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
  });
  while (body.children.length > data.length) body.lastChild.remove();
}

function table(caption, heads, body) {
  return h("div", { class: "scroll rows", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads.map((each) => (each ? h("th", { scope: "col" }, each) : h("td"))))), body));
}

const state = (name) => h("span", { class: `state ${WELL[name] ?? ""}` }, name);
const instant = (text) => (text ? numbers.instant(text) : "–");

function when(timing) {
  if (timing.at) return `once, ${numbers.instant(timing.at)}`;
  if (timing.every_seconds) return `every ${numbers.general(timing.every_seconds)} s`;
  if (timing.cron) return `${timing.cron} (${timing.timezone})`;
  const minutes = timing.offset_minutes ?? 0;
  return `${Math.abs(minutes)} min ${minutes < 0 ? "before" : "after"} the ${timing.event} of ${timing.calendar}`;
}
