// What an address says of a view: only what decides its numbers, never a key.

import { Problem } from "./api.js";

export function pack(value) {
  const text = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each));
  return btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function unpacked(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes), (_, each) =>
      (typeof each === "string" && /^\d+n$/.test(each) ? BigInt(each.slice(0, -1)) : each));
  } catch { throw new Problem(400, { error: "This link does not say what to show: it was cut off, or altered." }); }
}

// The address of a view, which says so much of it.
export const linkTo = (view, query = {}) => {
  const said = new URLSearchParams(query).toString();
  return `${location.origin}/#/${view}${said && `?${said}`}`;
};
