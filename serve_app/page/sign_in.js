// How one signs in: a key, or a code in the address that works once.

import { button, fill, h, labelled } from "./elements.js";
import { over, tell, tellProblem } from "./notices.js";

const SIGN_IN = "/api/v1/sign-in";
const issuer = () => import("./issuer.js"); // only some services have one

// Signed in by what the address carries, which is gone from it at once; whether that was so.
export async function byAddress(api, ways) {
  const code = /(?:^#|&)code=([\w-]+)/.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, "", location.pathname);
    const { key } = await api.post(SIGN_IN, { code });
    api.signIn(key, false);
    return true;
  }
  if (!new URLSearchParams(location.search).has("state")) return false;
  const token = await (await issuer()).returned(ways);
  if (token) api.signIn(token, false);
  return Boolean(token);
}

export function signInForm(api, ways, done, why = "") {
  const key = h("input", { type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const keep = h("input", { type: "checkbox", id: "keep" });
  const problem = h("p", { role: "alert", class: "field-problem" });
  const enter = async (event) => {
    event.preventDefault();
    problem.textContent = "";
    api.signIn(key.value.trim(), keep.checked);
    try {
      await done();
    } catch (error) {
      api.signOut();
      if (error.status !== 401) { tellProblem(error, "sign-in"); return; }
      problem.textContent = `${error.message}.`;
      key.focus();
    }
  };
  return h("section", { class: "card sign-in" },
    h("h1", {}, "Sign in"),
    h("p", {}, why || "Simulated option markets, one step at a time. An API key opens the door; “make run” prints one, and an address that signs in by itself."),
    h("form", { onsubmit: enter }, labelled("API key", key),
      h("p", {}, keep, " ", h("label", { for: "keep" }, "Keep it until this tab is closed")),
      problem, h("button", { type: "submit", class: "main" }, "Sign in")),
    ways?.issuer && ways.client_id && button("Sign in at " + new URL(ways.issuer).host,
      () => issuer().then(({ beginAtIssuer }) => beginAtIssuer(ways)).catch((error) => tell("sign-in", error.message, { kind: "error" }))));
}

export function callerBox(api, caller, signOut) {
  const box = document.getElementById("caller");
  over("sign-in");
  fill(box, caller && h("span", { class: "quiet" }, caller.tenant), api.isSignedIn && button("Sign out", signOut));
}
