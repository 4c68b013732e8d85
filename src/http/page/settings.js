// The settings with their origin: read, changed with validation, and another matching rule tried before it holds.

import { change, mayChange, read, readTagged } from "./api.js";
import { chip, make, time } from "./dom.js";

const ORIGINS = { default: "quiet", file: "quiet", stored: "warn", environment: "good" };
const FIELDS = ["displayName", "mail", "mailNickname", "onPremisesDistinguishedName", "onPremisesSamAccountName", "onPremisesUserPrincipalName", "userPrincipalName"];

const shown = value => value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value);

function meant(item, text) {
  if (typeof item.value === "boolean" || item.allowed === "true or false") return text === "true" ? true : text === "false" ? false : text;
  if (Array.isArray(item.value) || /\[/.test(item.example ?? "")) return text.split(",").map(part => part.trim()).filter(Boolean);
  return text;
}

function setting(item, save) {
  const fixed = item.origin === "environment" || item.key.startsWith("database.") || !mayChange();
  const input = make("input", { "aria-label": item.key, type: item.secret ? "password" : "text", value: item.secret ? "" : shown(item.value), placeholder: item.secret ? (item.value ? "••••••••" : "not set") : item.example, disabled: fixed, autocomplete: "off" });
  const said = make("p", { class: "small", role: "status" });
  const act = async value => {
    try { said.className = "small"; said.textContent = await save({ [item.key]: value }); } catch (error) { said.className = "small refusal"; said.textContent = error.message; }
  };
  const form = make("form", { onsubmit: event => { event.preventDefault(); act(meant(item, input.value.trim())); } }, input,
    make("button", { disabled: fixed }, "Save"),
    item.origin === "stored" ? make("button", { type: "button", class: "plain", disabled: !mayChange(), onclick: () => act(null) }, "Take back") : null);
  return make("div", { class: "setting" },
    make("div", {}, make("strong", {}, item.key), make("p", { class: "faint small" }, [item.allowed, item.found_at].filter(Boolean).join(" · "))),
    make("div", {}, form, said),
    make("div", {}, chip(item.variable ?? item.origin, ORIGINS[item.origin] ?? "quiet"), item.concerns?.includes("next-start") ? make("p", { class: "faint small" }, "at the next start") : null));
}

function matching(save) {
  const pbx = make("select", { id: "rule-pbx" }, ["cn", "h323"].map(name => make("option", { value: name }, name)));
  const microsoft = make("select", { id: "rule-microsoft" }, FIELDS.map(name => make("option", { value: name }, name)));
  const strip = make("input", { type: "checkbox", id: "rule-strip" });
  const result = make("div", { class: "stack", role: "status", id: "preview" });
  const rule = () => new URLSearchParams({ pbx: pbx.value, microsoft: microsoft.value, strip_domain: strip.checked });
  const names = (title, turns, count) => count > 0 ? make("details", {}, make("summary", {}, `${count} ${title}`), make("ul", { class: "small" }, turns.slice(0, 50).map(turn => make("li", {}, `${turn.h323 ?? turn.teams_name ?? turn.teams_id}${turn.explanation ? `: ${turn.explanation}` : turn.teams_name ? ` with ${turn.teams_name}` : ""}`)))) : make("p", { class: "faint small" }, `0 ${title}`);
  async function preview() {
    try {
      const told = await read(`/api/v1/matching/preview?${rule()}`);
      const apply = make("button", { type: "button", id: "apply-rule", disabled: !mayChange(), onclick: async () => {
        try { result.replaceChildren(make("p", { class: "notice" }, await save({ "matching.pbx": pbx.value, "matching.microsoft": microsoft.value, "matching.strip_domain": strip.checked }))); } catch (error) { result.replaceChildren(make("p", { class: "notice bad" }, error.message)); }
      } }, "Apply this rule");
      result.replaceChildren(
        make("p", {}, `${told.now.matched} pairs now, ${told.then.matched} by this rule; ${told.unchanged} stay as they are.`),
        names("gains", told.gains, told.counts.gains), names("losses", told.losses, told.counts.losses), names("ambiguous", told.ambiguities, told.counts.ambiguities), names("near misses", told.near_misses, told.counts.near_misses), apply);
    } catch (error) { result.replaceChildren(make("p", { class: "notice bad" }, error.message)); }
  }
  const show = rules => {
    pbx.value = rules["matching.pbx"] ?? "cn";
    microsoft.value = rules["matching.microsoft"] ?? "displayName";
    strip.checked = rules["matching.strip_domain"] === true;
  };
  const form = make("form", { class: "fields", onsubmit: event => { event.preventDefault(); preview(); } },
    make("label", { for: "rule-pbx" }, "Field at the PBX", pbx), make("label", { for: "rule-microsoft" }, "Field at Microsoft", microsoft), make("label", { class: "check" }, strip, "Remove the domain"), make("button", { id: "try-rule" }, "Try"));
  return { section: make("section", { class: "card" }, make("h3", {}, "Another matching rule"), make("p", { class: "faint small" }, "Trying changes nothing."), form, result), show };
}

function audit(records) {
  const row = record => make("li", {}, make("span", { class: "faint" }, `${time(record.at)} ${record.who} `), make("strong", {}, record.what), record.before || record.after ? ` from ${record.before ?? "nothing"} to ${record.after ?? "nothing"}` : "");
  return make("details", { class: "card" }, make("summary", {}, "Audit: who has changed what"), records.length > 0 ? make("ul", { class: "small stack" }, records.map(row)) : make("p", { class: "faint" }, "Nothing yet."));
}

export async function open(main) {
  const lists = make("div", { class: "stack" });
  const log = make("div");
  let tag = null;
  async function save(patch) {
    const done = await change("/api/v1/settings", patch, tag);
    const concerned = (done.concerns ?? []).filter(part => part !== "next-start");
    await load();
    return done.concerns.includes("next-start") ? "Stored; it takes effect at the next start." : `In force${concerned.length > 0 ? `; made anew: ${concerned.join(", ")}` : ""}.`;
  }
  const rule = matching(save);
  async function load() {
    const { json, etag } = await readTagged("/api/v1/settings?limit=1000");
    tag = etag;
    const sections = new Map();
    for (const item of json.items) {
      const name = item.key.split(".")[0];
      sections.set(name, [...(sections.get(name) ?? []), item]);
    }
    rule.show(Object.fromEntries(json.items.map(item => [item.key, item.value])));
    const opened = new Set([...lists.querySelectorAll("details[open]")].map(details => details.dataset.section));
    lists.replaceChildren(...[...sections].map(([name, items]) => make("details", { class: "card", "data-section": name, open: opened.has(name) }, make("summary", {}, make("strong", {}, `[${name}]`), make("span", { class: "faint" }, ` ${items.length} settings`)), items.map(item => setting(item, save)))));
    log.replaceChildren(audit((await read("/api/v1/audit?limit=50")).items));
  }
  main.replaceChildren(make("h2", {}, "Settings"), make("div", { class: "stack" }, rule.section, lists, log));
  await load();
  return {};
}
