// The documentation of the API: every operation of the document, with what it takes and answers.

import { read, recall } from "./api.js";
import { make, table } from "./dom.js";
import { describe, example, tree, use } from "./docs_schema.js";
import { pieces, prose } from "./docs_text.js";
import { form } from "./docs_try.js";
import { askForToken } from "./sign_in.js";

const main = document.getElementById("main");
const nav = document.querySelector("nav");

/** Who may use an operation, in one sentence. */
function access(operation, general) {
  const doors = (operation.security ?? general).flatMap(door => Object.keys(door));
  if (doors.length === 0) return "Open to everybody.";
  if (doors.includes("csrf")) return "Needs the administrator role.";
  return doors.includes("bearer") ? "Needs a token." : "Needs the page's session.";
}

function parameters(operation, of) {
  const rows = (operation.parameters ?? []).map(parameter => ({
    key: parameter.name,
    cells: [
      make("code", {}, parameter.name),
      parameter.in + (parameter.required ? ", required" : ""),
      make("span", { class: "kind" }, describe(parameter.schema)),
      make("div", {}, prose(parameter.description ?? "")),
    ],
  }));
  return rows.length ? table(`Parameters of ${of}`, ["Name", "In", "Kind", "What"], rows) : null;
}

/** A kind of content: its type, its members, and an example. */
function content(type, told) {
  const given = Object.values(told.examples ?? {}).map(given => [given.summary ?? "Example", given.value]);
  const json = type.includes("json");
  const examples = given.length > 0 || !json ? given : [["Example", example(told.schema)]];
  return make("div", {},
    make("p", { class: "kind" }, `${type}: ${describe(told.schema)}`),
    json ? lazily("Members", () => tree(told.schema)) : null,
    examples.map(([name, value]) => lazily(name, () => make("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)))));
}

/** Something that is made when it is opened first. */
function lazily(name, build) {
  const details = make("details", {}, make("summary", {}, name));
  details.addEventListener("toggle", () => details.append(build()), { once: true });
  return details;
}

function answers(operation) {
  const each = Object.entries(operation.responses).map(([status, answer]) => {
    const headers = Object.entries(answer.headers ?? {}).map(([name, header]) =>
      make("p", { class: "small" }, "Header ", make("code", {}, name), `: ${header.description ?? ""}`));
    const refused = Number(status) >= 400;
    const bodies = Object.entries(answer.content ?? {});
    return make("li", {},
      make("div", {}, make("span", { class: `status ${refused ? "refused" : ""}` }, status), pieces(answer.description)),
      headers,
      refused && bodies.every(([type]) => type === "application/problem+json") ? null : bodies.map(([type, told]) => content(type, told)));
  });
  return [make("h3", {}, "Answers"), make("ul", { class: "answers" }, each)];
}

function operation(method, path, told, general) {
  const open = location.hash === `#${told.operationId}`;
  const details = make("details", { class: "card operation", id: told.operationId },
    make("summary", {},
      make("span", { class: `method ${method}` }, method.toUpperCase()),
      make("code", {}, path),
      make("span", {}, told.summary)));
  const fill = () => {
    const bodies = Object.entries(told.requestBody?.content ?? {});
    details.append(make("div", {},
      prose(told.description ?? ""),
      make("p", { class: "faint small" }, access(told, general)),
      parameters(told, `${method.toUpperCase()} ${path}`),
      bodies.length ? [make("h3", {}, "Body"), bodies.map(([type, body]) => content(type, body))] : null,
      answers(told),
      form(method, path, told, access(told, general))));
  };
  details.addEventListener("toggle", fill, { once: true });
  details.open = open;
  return details;
}

function show(told) {
  use(told.components.schemas);
  const operations = Object.entries(told.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, each]) => ({ method, path, each })));
  nav.hidden = false;
  nav.replaceChildren(...told.tags.map(tag => make("a", { href: `#group-${tag.name}` }, tag.name)));
  document.getElementById("about").textContent = `version ${told.info.version} · ${operations.length} operations`;
  main.replaceChildren(make("div", { class: "card" }, prose(told.info.description)), ...told.tags.map(tag =>
    make("section", { "aria-labelledby": `group-${tag.name}` },
      make("h2", { id: `group-${tag.name}` }, tag.name),
      make("p", { class: "faint" }, tag.description),
      operations.filter(({ each }) => each.tags.includes(tag.name)).map(({ method, path, each }) =>
        operation(method, path, each, told.security)))));
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

async function begin() {
  try {
    show(await read("/api/openapi.json"));
  } catch (error) {
    main.replaceChildren(make("p", { class: "notice bad", role: "alert" }, error.message));
  }
}

try {
  await recall();
  await begin();
} catch {
  askForToken(main, begin);
}
