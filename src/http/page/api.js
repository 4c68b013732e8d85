// The connector's API: the session, questions, orders and the stream of events.

export const session = { role: null, csrf: null };

/** What the API refuses, with its cause and remedy. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `the connector answered ${status}`);
    this.status = status;
    this.code = problem.code;
  }
}

async function ask(method, path, body, headers = {}) {
  const request = { method, cache: "no-store", headers: { ...headers } };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  if (method !== "GET" && session.csrf) request.headers["X-CSRF-Token"] = session.csrf;
  const response = await fetch(path, request);
  const text = await response.text();
  let json = {};
  try { json = text ? JSON.parse(text) : {}; } catch { json = {}; }
  if (!response.ok) throw new Refusal(response.status, json);
  return { json, etag: response.headers.get("ETag") };
}

export const read = async path => (await ask("GET", path)).json;
export const readTagged = path => ask("GET", path);
export const order = async (path, body) => (await ask("POST", path, body)).json;
export const put = async (path, body) => (await ask("PUT", path, body)).json;
export const change = async (path, body, etag) => (await ask("PATCH", path, body, etag ? { "If-Match": etag } : {})).json;

export async function signIn(token) {
  Object.assign(session, await order("/api/v1/session", { token }));
}

export async function recall() {
  Object.assign(session, await read("/api/v1/session"));
}

export async function signOut() {
  await ask("DELETE", "/api/v1/session");
  session.role = session.csrf = null;
}

export const mayChange = () => session.role === "administrator";

/** Follows the stream of events. The browser connects again by itself, unless it was refused: then it has ended. */
export function follow(topics, hear, changed) {
  const source = new EventSource(`/api/v1/events?topics=${topics.join(",")}`);
  for (const topic of [...topics, "reload"]) {
    source.addEventListener(topic, event => hear(topic, JSON.parse(event.data)));
  }
  source.onopen = () => changed(true);
  source.onerror = () => changed(false, source.readyState === EventSource.CLOSED);
  return source;
}
