// Everything that can be checked from here, with what was found, the cause and the remedy.

import { read } from "./api.js";
import { chip, make } from "./dom.js";

const KINDS = { pass: "good", warn: "warn", fail: "bad", skipped: "quiet" };

export async function open(main) {
  const list = make("ul", { class: "stack" });
  const said = make("p", { role: "status", class: "faint" });
  const again = make("button", { type: "button", onclick: () => load() }, "Check again");
  async function load() {
    said.textContent = "Checking…";
    again.disabled = true;
    try {
      const told = await read("/api/v1/diagnosis");
      const failed = told.items.filter(item => item.outcome === "fail").length;
      said.textContent = `${told.items.length} checks, ${failed} failed`;
      list.replaceChildren(...told.items.map(item => make("li", { class: "card" },
        make("div", { class: "row" }, chip(item.outcome, KINDS[item.outcome] ?? "quiet"), make("h3", {}, item.check)),
        make("p", {}, item.found),
        item.cause ? make("p", {}, make("strong", {}, "Cause: "), item.cause) : null,
        item.remedy ? make("p", {}, make("strong", {}, "Remedy: "), item.remedy) : null)));
    } catch (error) {
      said.textContent = error.message;
    }
    again.disabled = false;
  }
  main.replaceChildren(make("h2", {}, "Diagnosis"), make("div", { class: "fields" }, again, make("a", { href: "/api/v1/support-bundle", download: "" }, "Support bundle without secrets and names"), said), list);
  await load();
  return {};
}
