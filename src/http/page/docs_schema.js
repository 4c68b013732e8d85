// Schemas for people: in one word, as a tree of members, and as an example.

import { make } from "./dom.js";
import { pieces } from "./docs_text.js";

let schemas = {};

/** Tells where references lead. */
export function use(known) {
  schemas = known;
}

const TIME = "2026-11-23T12:00:00Z";

/** Follows references, and merges what is composed of parts. */
function resolve(schema) {
  if (!schema) return {};
  if (schema.$ref) return resolve(schemas[schema.$ref.split("/").pop()]);
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map(resolve);
  const open = parts.filter(part => part.oneOf).flatMap(part => part.oneOf);
  const properties = Object.assign({}, ...parts.map(part => part.properties ?? {}), ...open.slice(0, 1).map(part => resolve(part).properties ?? {}));
  return { ...schema, allOf: undefined, type: "object", properties, required: parts.flatMap(part => part.required ?? []) };
}

const isNull = schema => schema.type === "null";
const isEmpty = schema => schema.enum?.[0] === "";

/** What the schema is when it is not null, and whether it may be null. */
function present(schema) {
  const resolved = resolve(schema);
  if (resolved.oneOf?.some(isEmpty)) return present(resolved.oneOf.find(one => !isEmpty(one)));
  if (resolved.oneOf?.some(isNull)) return [present(resolved.oneOf.find(one => !isNull(one)))[0], true];
  if (Array.isArray(resolved.type)) return [{ ...resolved, type: resolved.type.find(type => type !== "null") }, resolved.type.includes("null")];
  return [resolved, false];
}

/** The words that a closed set consists of. */
function words(schema) {
  if (schema.enum) return schema.enum;
  const alternatives = schema.pattern?.match(/^\^\(([\w|-]+)\)\$$/);
  if (alternatives) return alternatives[1].split("|");
  const members = (schema.oneOf ?? []).map(resolve);
  return members.length > 0 && members.every(member => member.enum) ? members.flatMap(member => member.enum) : null;
}

/** The schema in a few words. */
export function describe(schema) {
  const [found, nullable] = present(schema);
  const none = nullable ? " or null" : "";
  const set = words(found);
  if (set) return (set.length > 8 ? `one of ${set.length} words` : set.join(" | ")) + none;
  if (found.type === "array") return `list of ${describe(found.items)}${none}`;
  if (found.oneOf) return `one of ${found.oneOf.length} shapes${none}`;
  if (found.type === "object" || found.properties) return (found.additionalProperties ? "object by name" : "object") + none;
  const bounds = found.minimum !== undefined ? `, ${found.minimum} or more` : "";
  return `${found.format === "date-time" ? "time" : found.type ?? "anything"}${bounds}${none}`;
}

function list(items) {
  return make("ul", { class: "schema" }, items);
}

function kind(text) {
  return make("li", { class: "kind" }, text);
}

/** What can be opened below a member: its own members, those of a list's items, its words or its shapes. */
function below(schema) {
  const [found] = present(schema);
  const set = words(found);
  if (set) return set.length > 8 ? () => list(set.map(kind)) : null;
  if (found.type === "array") return below(found.items);
  if (typeof found.additionalProperties === "object" && Object.keys(found.additionalProperties).length > 0) return below(found.additionalProperties);
  return found.oneOf || found.properties ? () => tree(found) : null;
}

function member(name, schema) {
  const text = schema.description ?? resolve(schema).description ?? schema.oneOf?.[0]?.description;
  const line = [make("code", {}, name), " ", make("span", { class: "kind" }, describe(schema)), text ? [" – ", pieces(text)] : null];
  const build = below(schema);
  if (!build) return make("li", {}, line);
  const details = make("details", {}, make("summary", {}, line));
  details.addEventListener("toggle", () => details.append(build()), { once: true });
  return make("li", {}, details);
}

/** The members of a schema, to be opened one by one. */
export function tree(schema) {
  const [found] = present(schema);
  if (found.type === "array") return tree(found.items);
  if (found.oneOf) return list(found.oneOf.map((shape, at) => member(shape.$ref?.split("/").pop() ?? `shape ${at + 1}`, shape)));
  const members = Object.entries(found.properties ?? {});
  return members.length ? list(members.map(([name, each]) => member(name, each))) : list([kind(describe(schema))]);
}

/** A value that fits. */
export function example(schema, depth = 0) {
  const [found] = present(schema);
  if (found.example !== undefined) return found.example;
  if (found.examples?.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  const set = words(found);
  if (set) return set[0];
  if (depth > 8) return null;
  if (found.type === "array") return [example(found.items, depth + 1)];
  if (found.oneOf) return example(found.oneOf[0], depth + 1);
  if (found.properties) {
    return Object.fromEntries(Object.entries(found.properties).map(([name, each]) => [name, example(each, depth + 1)]));
  }
  if (found.type === "object") return {};
  if (found.type === "string") return found.format === "date-time" ? TIME : "…";
  if (found.type === "boolean") return true;
  return found.type === "integer" || found.type === "number" ? found.minimum ?? 0 : null;
}
