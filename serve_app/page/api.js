// The one way to the service: documented routes, the caller's key, and errors that say what to do.

const KEY = "optionchain-key";

export class Problem extends Error {
  constructor(status, body, retrySeconds) {
    super(body?.error || (status ? `The service answered ${status}.` : "The service does not answer."));
    this.status = status;
    this.field = body?.field;
    this.currentStep = body?.current_step;
    this.retrySeconds = retrySeconds;
  }
}

export class Api {
  #key = sessionStorage.getItem(KEY);
  onSignedOut = () => {};
  limit = null;

  get isSignedIn() { return this.#key !== null; }

  // In memory, or for as long as the tab lives, if that is asked for. Never in an address.
  signIn(key, isKept) {
    this.#key = key;
    if (isKept) sessionStorage.setItem(KEY, key);
  }

  signOut() {
    this.#key = null;
    sessionStorage.removeItem(KEY);
  }

  async send(method, path, { query, body, headers = {}, signal, keepalive, raw, patience = 60 } = {}) {
    const url = path + search(query);
    const options = { method, keepalive, headers: { ...headers, ...this.#authorization() }, credentials: "omit", cache: "no-store" };
    if (body !== undefined) {
      const isRaw = body instanceof Blob || typeof body === "string";
      options.body = isRaw ? body : encode(body);
      if (!isRaw) options.headers["Content-Type"] = "application/json";
    }
    const timer = new AbortController();
    const late = setTimeout(() => timer.abort(), patience * 1000);
    options.signal = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
    let response;
    try {
      response = await fetch(url, options);
      if (!response.ok) throw await this.#problem(response);
      if (raw) return response;
      return await response.json();
    } catch (error) {
      if (error instanceof Problem || signal?.aborted) throw error;
      throw new Problem(0, null, 1);
    } finally {
      clearTimeout(late);
    }
  }

  get(path, query, options) { return this.send("GET", path, { query, ...options }); }
  post(path, body, options) { return this.send("POST", path, { body, ...options }); }
  delete(path, options) { return this.send("DELETE", path, options); }

  // An answer whose whole numbers are exact, also above 2^53: seeds.
  async exact(method, path, options) {
    const response = await this.send(method, path, { ...options, raw: true });
    return decode(await response.text());
  }

  async download(path, query, name) {
    const response = await this.send("GET", path, { query, raw: true, patience: 600 });
    const address = URL.createObjectURL(await response.blob());
    const link = Object.assign(document.createElement("a"), { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  // Server-Sent Events by fetch, for EventSource sends no headers. A line that breaks is opened again behind what was seen.
  async *events(path, { query, signal, attempts = 8 } = {}) {
    let last = null;
    for (let failures = 0; ; ) {
      try {
        const headers = last === null ? {} : { "Last-Event-ID": last };
        const response = await this.send("GET", path, { query, signal, headers, raw: true });
        if (response.status === 204) return;
        for await (const event of parsed(response.body)) {
          failures = 0;
          if (event.id !== undefined) last = event.id;
          yield event;
        }
        throw new Problem(0); // whoever has heard the last event does not ask for more
      } catch (error) {
        if (signal?.aborted) return;
        const mayPass = !(error instanceof Problem) || [0, 429, 502, 503, 504].includes(error.status);
        if (!mayPass || ++failures > attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** failures, 5000)));
      }
    }
  }

  #authorization() { return this.#key ? { Authorization: `Bearer ${this.#key}` } : {}; }

  async #problem(response) {
    let body = null;
    try { body = await response.json(); } catch { /* not the service's own answer */ }
    const after = Number(response.headers.get("Retry-After")) || undefined;
    if (response.status === 401 && this.#key) {
      this.signOut();
      this.onSignedOut();
    }
    // A gateway in front that has lost the service answers in its own words.
    const isLost = [502, 503, 504].includes(response.status) && !body;
    return new Problem(isLost ? 0 : response.status, body, after);
  }
}

async function* parsed(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const event = { name: "message", data: "" };
        for (const line of text.slice(0, end).split("\n")) {
          const [, name, rest] = /^(\w*): ?(.*)$/.exec(line) ?? [];
          if (name === "event") event.name = rest;
          else if (name === "id") event.id = rest;
          else if (name === "data") event.data += rest;
        }
        text = text.slice(end + 2);
        if (event.data) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export function search(query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

// JSON with whole numbers of any length.
export function encode(value, indent) {
  const text = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `\u0001${each}\u0001` : each), indent);
  return text.replace(/"\\u0001(\d+)\\u0001"/g, "$1");
}

function decode(text) {
  const marked = text.replace(/("(?:seed|path)":)(\d{16,})/g, '$1"\\u0001$2"');
  return JSON.parse(marked, (_, each) =>
    (typeof each === "string" && each.startsWith("\u0001") ? BigInt(each.slice(1)) : each));
}
