// What is told beside the view: one notice at a time for each matter, gone when the matter is over.

import { button, fill, h } from "./elements.js";

const place = () => document.getElementById("notices");
const matters = new Map();

export function tell(matter, text, { kind = "info", action, act } = {}) {
  const element = h("div", { class: `notice ${kind}` }, h("span", {}, text),
    action && button(action, act),
    button("×", () => over(matter), { "aria-label": "Dismiss", class: "plain" }));
  matters.set(matter, element);
  show();
  return element;
}

export function over(matter) {
  if (matters.delete(matter)) show();
}

// Waits, and shows how long; false where somebody has dismissed it.
export async function countdown(matter, seconds, words) {
  const until = performance.now() + seconds * 1000;
  for (let left = Math.ceil(seconds); left > 0; left = Math.ceil((until - performance.now()) / 1000)) {
    tell(matter, words(left), { kind: "warning" });
    await new Promise((resolve) => setTimeout(resolve, Math.max(until - performance.now() - (left - 1) * 1000, 0)));
    if (!matters.has(matter)) return false;
  }
  over(matter);
  return true;
}

export function tellProblem(error, matter = "problem") {
  if (error?.name === "AbortError") return;
  if (error.status === 401) return; // the sign-in form says it
  if (error.status === 429) {
    countdown(matter, error.retrySeconds ?? 1, (left) => `Too many requests. You may go on in ${left} s.`);
    return;
  }
  if (error.status === undefined) console.error(error);
  tell(matter, error.message, { kind: "error" });
}

function show() {
  fill(place(), [...matters.values()]);
}
