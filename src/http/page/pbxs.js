// The PBX connections: what is connected, what it may do, and what it has said.

import { read } from "./api.js";
import { chip, make, refill, since } from "./dom.js";

function fact(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value ?? "–"));
}

function card(item) {
  const missing = item.missing_apis ?? [];
  const ignored = Object.entries(item.ignored ?? {});
  return make("li", { class: "card stack" },
    make("div", { class: "row" }, make("h3", {}, item.pbx), make("span", { class: "faint" }, item.role), chip(item.state, item.state === "up" ? "good" : "bad"), make("span", { class: "faint small" }, `for ${since(item.since)}`), item.test_mode ? chip("license test mode", "warn") : null),
    item.refusal ? make("p", { class: "notice bad" }, item.refusal) : null,
    missing.length > 0 ? make("p", { class: "notice bad" }, `missing at the App object: ${missing.join(", ")}`) : null,
    make("dl", { class: "facts" },
      fact("App objects", (item.app_objects ?? []).join(", ")), fact("Firmware", item.version), fact("APIs", (item.apis ?? []).join(", ")),
      fact("Users", item.users === undefined ? "–" : `${item.users}${item.users_complete ? "" : ", table not whole yet"}`), fact("Followed", `${item.told ?? 0} of ${item.followed ?? 0} told`),
      fact("Calls", item.lines_complete ? "followed" : "not known"), fact("Messages", `${item.frames_received ?? 0} in, ${item.frames_sent ?? 0} out`),
      ignored.length > 0 ? fact("Ignored", ignored.map(([kind, count]) => `${kind} ${count}`).join(", ")) : null));
}

export async function open(main) {
  let items = (await read("/api/v1/sessions?limit=1000")).items;
  const list = make("ul", { class: "cards" });
  const paint = () => refill(list, items.length > 0 ? items.map(card) : make("li", { class: "empty" }, "No PBX has connected yet."));
  main.replaceChildren(make("h2", {}, "PBX connections"), list);
  paint();
  const timer = setInterval(paint, 10000);
  return {
    hear(topic, news) { if (topic === "sessions") { items = news.items; paint(); } },
    leave: () => clearInterval(timer),
  };
}
