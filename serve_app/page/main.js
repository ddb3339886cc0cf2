// The frame of the page: who is signed in, which view is shown, and what happens when one of both changes.

import { Api } from "./api.js";
import { fill, h } from "./elements.js";
import { over, tell, tellProblem } from "./notices.js";
import { byAddress, callerBox, signInForm } from "./sign_in.js";

const VIEWS = [
  ["market", "Market", "read"], ["compare", "Compare", "trade"], ["sweeps", "Sweeps", "read"],
  ["history", "History", "read"], ["tasks", "Tasks", "read"], ["system", "System", "identify"],
];
const api = new Api();
const main = document.getElementById("main");
const views = new Map();
const state = { ways: null, caller: null, shown: null, isFresh: false };
let documentOfApi = null;

const context = {
  api,
  get tenant() { return state.caller?.tenant; },
  may: (permission) => state.caller?.permissions.includes(permission) ?? false,
  openapi: () => (documentOfApi ??= api.get("/api-docs/openapi.json").catch((error) => { documentOfApi = null; throw error; })),
  open(view, query) { location.hash = `#/${view}${query ? `?${new URLSearchParams(query)}` : ""}`; },
};

function route() {
  const [, name, query] = /^#\/(\w+)(?:\?(.*))?$/.exec(location.hash) ?? [];
  return [views.has(name) || VIEWS.some(([each]) => each === name) ? name : "market", new URLSearchParams(query ?? "")];
}

async function show() {
  if (!state.caller) return;
  const [name, query] = route();
  const nav = document.getElementById("views");
  fill(nav, VIEWS.filter(([, , needed]) => context.may(needed)).map(([each, text]) =>
    h("a", { href: `#/${each}`, "aria-current": each === name ? "page" : null }, text)));
  try {
    if (!views.has(name)) {
      if (state.shown === null) fill(main, h("p", { class: "quiet" }, "Loading …"));
      const { view } = await import(`./${name}.js`);
      views.set(name, view(context));
    }
    const view = views.get(name);
    if (state.shown !== view) {
      state.shown?.leave?.();
      state.shown = view;
      fill(main, view.element);
      document.title = `${VIEWS.find(([each]) => each === name)[1]} · OptionChain Simulator`;
    }
    await view.enter?.(query, { isFresh: state.isFresh });
    state.isFresh = false;
  } catch (error) { tellProblem(error); }
}

function forget() {
  for (const view of views.values()) view.close?.();
  views.clear();
  state.caller = null;
  state.shown = null;
}

function askToSignIn(why) {
  forget();
  fill(document.getElementById("views"));
  callerBox(api, null);
  fill(main, signInForm(api, state.ways, enter, why));
}

async function enter() {
  state.caller = await api.get("/api/v1/caller");
  callerBox(api, state.caller, () => { api.signOut(); askToSignIn(); });
  await show();
}

async function begin() {
  try {
    state.ways = await api.get("/api/v1/sign-in");
  } catch (error) {
    fill(main, h("section", { class: "card" }, h("h1", {}, "The service does not answer"),
      h("p", {}, "This page tries again every three seconds.")));
    setTimeout(begin, 3000);
    return;
  }
  over("problem");
  let why = "";
  try {
    state.isFresh = await byAddress(api, state.ways);
  } catch (error) {
    why = error.status === 401 ? "The code in the address does not work any more. Sign in with the API key." : error.message;
  }
  if (state.ways.needs_key && !api.isSignedIn) { askToSignIn(why); return; }
  try {
    await enter();
  } catch (error) {
    if (error.status === 401) askToSignIn("The key that was kept here is not known any more.");
    else if (error.status === 403) askToSignIn("You are known, and may do nothing here: ask for a role.");
    else tell("problem", error.message, { kind: "error", action: "Try again", act: begin });
  }
}

api.onSignedOut = () => { if (state.caller) askToSignIn("The session has ended: the key is not known any more."); };
addEventListener("hashchange", () => {
  if (/(?:^#|&)code=/.test(location.hash)) { api.signOut(); begin(); } else show();
});
addEventListener("pagehide", () => { for (const view of views.values()) view.close?.(); });
begin();
