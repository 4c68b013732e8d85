// The log, live, and how talkative which part of the connector is.

import { mayChange, put, read } from "./api.js";
import { chip, make, time } from "./dom.js";

const LEVELS = ["error", "warn", "info", "debug", "trace"];
const SHOWN = 300;

function line(record) {
  const fields = Object.entries(record.fields ?? {}).map(([name, value]) => `${name}=${value}`).join(" ");
  return make("li", { class: record.level }, make("time", { class: "faint", datetime: record.time }, new Date(record.time).toLocaleTimeString()), make("span", {}, record.level), make("span", { class: "faint" }, record.target), make("span", {}, record.message, fields ? make("span", { class: "faint" }, ` ${fields}`) : null));
}

function flags(levels, set) {
  const choice = flag => make("select", { "aria-label": `Level of ${flag.flag}`, disabled: !mayChange(), onchange: event => set(flag.flag, event.target.value) },
    LEVELS.map(level => make("option", { value: level, selected: level === flag.level }, level)));
  return levels.flags.map(flag => make("label", {}, flag.flag, choice(flag), flag.until ? chip(`until ${time(flag.until)}`, "warn") : null));
}

export async function open(main) {
  const list = make("ol", { class: "log", "aria-label": "Records, newest first" });
  const text = make("input", { type: "search", name: "text", placeholder: "text" });
  const level = make("select", { name: "level" }, LEVELS.map(name => make("option", { value: name, selected: name === "info" }, name)));
  const still = make("input", { type: "checkbox", name: "still" });
  const lasts = make("select", { name: "for" }, ["10m", "1h", "1d"].map(name => make("option", { value: name }, name)));
  const panel = make("div", { class: "fields" });
  const said = make("p", { role: "status", class: "small refusal" });
  const fits = record => LEVELS.indexOf(record.level) <= LEVELS.indexOf(level.value) && JSON.stringify(record).toLowerCase().includes(text.value.trim().toLowerCase());
  let asked = 0;
  let meanwhile = [];
  async function load() {
    const mine = ++asked;
    meanwhile = [];
    const wanted = new URLSearchParams({ limit: SHOWN, level: level.value, text: text.value.trim() });
    const { items } = await read(`/api/v1/log?${wanted}`);
    if (mine !== asked) return;
    const known = new Set(items.map(record => record.id));
    list.replaceChildren(...[...meanwhile.filter(record => !known.has(record.id)), ...items].map(line));
  }
  const set = async (flag, wanted) => {
    try { panel.replaceChildren(...flags(await put("/api/v1/log/levels", { levels: { [flag]: wanted }, for: lasts.value }), set)); said.textContent = ""; } catch (error) { said.textContent = error.message; }
  };
  level.addEventListener("change", load);
  text.addEventListener("input", load);
  main.replaceChildren(make("h2", {}, "Log"),
    make("details", { class: "card spaced" }, make("summary", {}, "Trace flags"), make("p", { class: "faint small" }, "A level that is set here falls back by itself."), make("div", { class: "fields" }, make("label", {}, "For", lasts)), panel, said),
    make("div", { class: "fields" }, make("label", {}, "Level", level), make("label", {}, "Text", text), make("label", { class: "check" }, still, "Stand still")),
    make("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "Log" }, list));
  panel.replaceChildren(...flags(await read("/api/v1/log/levels"), set));
  await load();
  return {
    hear(topic, record) {
      if (topic !== "log" || still.checked || !fits(record)) return;
      meanwhile.unshift(record);
      if (meanwhile.length > SHOWN) meanwhile.pop();
      list.prepend(line(record));
      while (list.children.length > SHOWN) list.lastChild.remove();
    },
  };
}
