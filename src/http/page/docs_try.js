// Trying an operation out, in the session of the page, and the same as a line for the shell.

import { mayChange, session } from "./api.js";
import { make } from "./dom.js";
import { example } from "./docs_schema.js";

/** An endless answer is read for so long, in milliseconds. */
const A_WHILE = 3000;

function field(parameter) {
  const input = make("input", { name: parameter.name, required: parameter.required, value: parameter.required ? parameter.example : undefined,
    placeholder: parameter.required ? "" : `${parameter.example ?? ""}` });
  return make("label", {}, `${parameter.name} (${parameter.in})`, input);
}

/** Path, headers and body of what the form asks for. */
function request(method, path, parameters, values, body) {
  const given = parameters.filter(parameter => values.get(parameter.name));
  const at = kind => given.filter(parameter => parameter.in === kind).map(parameter => [parameter.name, values.get(parameter.name)]);
  const filled = at("path").reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)), path);
  const query = new URLSearchParams(at("query")).toString();
  const headers = Object.fromEntries(at("header"));
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { method: method.toUpperCase(), url: query ? `${filled}?${query}` : filled, headers, body };
}

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

function shellLine({ method, url, headers, body }) {
  const parts = ["curl", "-s", ...(method === "GET" ? [] : ["-X", method]), "-H", `"Authorization: Bearer $TOKEN"`];
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (body !== undefined) parts.push("-d", quoted(body));
  return [...parts, quoted(location.origin + url)].join(" ");
}

/** The whole text, or what comes of an endless one within a while. */
async function textOf(response) {
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return response.text();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const timer = setTimeout(() => reader.cancel(), A_WHILE);
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value, { stream: true });
  clearTimeout(timer);
  return text;
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

async function send({ method, url, headers, body }) {
  const own = session.csrf && method !== "GET" ? { "X-CSRF-Token": session.csrf } : {};
  const response = await fetch(url, { method, headers: { ...headers, ...own }, body, cache: "no-store" });
  const told = ["ETag", "Content-Type", "Retry-After"].map(name => [name, response.headers.get(name)]).filter(([, value]) => value);
  const head = [`${response.status} ${response.statusText}`, ...told.map(pair => pair.join(": "))];
  return `${head.join("\n")}\n\n${pretty(await textOf(response))}`;
}

/** The form that tries an operation out. */
export function form(method, path, operation, access) {
  const parameters = operation.parameters ?? [];
  const [told] = Object.values(operation.requestBody?.content ?? {});
  const first = told ? Object.values(told.examples ?? {})[0]?.value ?? example(told.schema) : null;
  const body = told ? make("textarea", { name: "body", spellcheck: "false" }, JSON.stringify(first, null, 2)) : null;
  const refused = access.includes("administrator") && !mayChange();
  const line = make("pre", { tabindex: "0", "aria-label": "The same for the shell" });
  const answer = make("pre", { tabindex: "0", "aria-label": "Answer", role: "status", hidden: true });
  const made = make("form", {},
    parameters.map(field),
    body ? make("label", {}, "body", body) : null,
    make("div", { class: "row" },
      make("button", { disabled: refused }, "Send"),
      refused ? make("span", { class: "faint small" }, "You have signed in as a viewer, who changes nothing.") : null));
  const asked = () => request(method, path, parameters, new FormData(made), body?.value);
  const tell = () => { line.textContent = shellLine(asked()); };
  made.addEventListener("input", tell);
  made.addEventListener("submit", async event => {
    event.preventDefault();
    answer.hidden = false;
    answer.textContent = "…";
    try { answer.textContent = await send(asked()); } catch (error) { answer.textContent = error.message; }
  });
  tell();
  return make("details", { class: "try" }, make("summary", {}, "Try it"), made, line, answer);
}
