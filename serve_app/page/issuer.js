// Sign-in at an issuer of OpenID Connect: authorization code with PKCE (RFC 7636), as a public client.

const KEPT = "optionchain-pkce";
const base64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const random = () => base64(crypto.getRandomValues(new Uint8Array(32)));
const here = () => location.origin + location.pathname;

async function metadata(ways) {
  const response = await fetch(`${ways.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, { credentials: "omit" });
  if (!response.ok) throw new Error("The issuer does not say how one signs in there.");
  return response.json();
}

export async function beginAtIssuer(ways) {
  const { authorization_endpoint: endpoint } = await metadata(ways);
  const verifier = random();
  const state = random();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.setItem(KEPT, JSON.stringify({ verifier, state }));
  const query = new URLSearchParams({
    response_type: "code", client_id: ways.client_id, redirect_uri: here(), scope: "openid profile",
    state, code_challenge: base64(new Uint8Array(digest)), code_challenge_method: "S256",
  });
  location.assign(`${endpoint}?${query}`);
}

// The token for the code that the issuer sent back with; null where it sent nobody.
export async function returned(ways) {
  const query = new URLSearchParams(location.search);
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (!kept) return null;
  sessionStorage.removeItem(KEPT);
  history.replaceState(null, "", location.pathname);
  if (query.get("state") !== kept.state) throw new Error("The sign-in was begun elsewhere: sign in again.");
  if (query.has("error")) throw new Error(`The issuer refused: ${query.get("error_description") ?? query.get("error")}`);
  const { token_endpoint: endpoint } = await metadata(ways);
  const body = new URLSearchParams({
    grant_type: "authorization_code", code: query.get("code"), redirect_uri: here(), client_id: ways.client_id, code_verifier: kept.verifier,
  });
  const response = await fetch(endpoint, { method: "POST", body, credentials: "omit" });
  if (!response.ok) throw new Error("The issuer gave no token: sign in again.");
  const { access_token: access, id_token: identity } = await response.json();
  // Some issuers give access tokens that only they can read; the service verifies signed ones.
  return access?.split(".").length === 3 ? access : identity;
}
