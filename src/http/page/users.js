// Everybody of either side: searched, filtered, both presences side by side, and why somebody is not synchronised.

import { read } from "./api.js";
import { chip, make, presence, refill, table } from "./dom.js";

const REASONS = {
  no_match: "no match", ambiguous: "ambiguous", near_miss: "near miss", no_license: "no license", no_teams_license: "no Teams license",
  account_disabled: "account disabled", guest: "guest", over_capacity: "over capacity", presence_unknown: "presence unknown", pbx_away: "PBX away", excluded: "excluded",
};
const COLUMNS = ["User", "State", "Teams shows", "PBX shows", "Who decided, or why not"];
const PAGE = 50;

export function state(user) {
  if (user.synchronised) return chip("synchronised", "good");
  return chip(REASONS[user.reason] ?? user.reason ?? "not synchronised", ["no_match", "excluded", "guest", "account_disabled"].includes(user.reason) ? "quiet" : "warn");
}

function row(user, changed) {
  const name = user.cn || user.h323 || user.teams_name || user.teams_id;
  const title = user.h323 ? make("a", { href: `#/users/${encodeURIComponent(user.h323)}` }, name) : make("span", {}, name);
  return {
    key: user.h323 ?? user.teams_id,
    class: changed ? "changed" : undefined,
    cells: [
      make("div", {}, title, make("div", { class: "faint small" }, [user.h323 && `${user.h323} at ${user.pbx}`, user.teams_name && user.teams_name !== name && user.teams_name].filter(Boolean).join(" · ") || "in Teams only")),
      state(user), presence(user.teams_presence), presence(user.shown_at_pbx || user.pbx_presence), make("span", { class: "small" }, user.explanation)],
  };
}

export async function open(main) {
  const query = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const search = make("input", { type: "search", name: "search", value: query.get("search") ?? "", placeholder: "name or address" });
  const reasons = Object.entries(REASONS).map(([code, name]) => make("option", { value: code, selected: query.get("reason") === code }, name));
  const reason = make("select", { name: "reason" }, make("option", { value: "" }, "any"), reasons);
  const kept = [["", "all"], ["true", "synchronised"], ["false", "not synchronised"]].map(([value, name]) => make("option", { value, selected: query.get("synchronised") === value }, name));
  const synchronised = make("select", { name: "synchronised" }, kept);
  const list = make("div", { class: "card" });
  const pages = make("div", { class: "row" });
  let cursors = [null];
  let items = [];
  let changed = new Set();
  let asked = 0;
  let meanwhile = new Map();

  function paint(next) {
    const rows = items.map(user => row(user, changed.has(user.h323)));
    refill(list, rows.length > 0 ? table(`${rows.length} users on this page`, COLUMNS, rows) : make("p", { class: "empty" }, "Nobody fits."));
    if (next === undefined) return;
    const earlier = make("button", { type: "button", class: "plain", disabled: cursors.length < 2, onclick: () => { cursors.pop(); load(); } }, "Back");
    const later = make("button", { type: "button", class: "plain", disabled: next === null, onclick: () => { cursors.push(next); load(); } }, "Next");
    refill(pages, earlier, later);
  }
  async function load() {
    const mine = ++asked;
    meanwhile = new Map();
    const wanted = new URLSearchParams({ limit: PAGE, search: search.value.trim(), reason: reason.value, synchronised: synchronised.value });
    const cursor = cursors.at(-1);
    if (cursor) wanted.set("cursor", cursor);
    const page = await read(`/api/v1/users?${wanted}`);
    if (mine !== asked) return;
    items = page.items.map(item => meanwhile.get(item.h323) ?? item);
    changed = new Set();
    paint(page.next_cursor);
  }
  const anew = () => { cursors = [null]; load(); };
  let typing = 0;
  search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(anew, 250); });
  const form = make("form", { class: "bar-of-fields", role: "search", onsubmit: event => { event.preventDefault(); anew(); } },
    make("label", {}, "Search", search), make("label", {}, "Reason", reason), make("label", {}, "State", synchronised));
  reason.addEventListener("change", anew);
  synchronised.addEventListener("change", anew);
  main.replaceChildren(make("h2", {}, "Users"), form, list, pages);
  await load();
  return {
    hear(topic, news) {
      if (topic !== "users") return;
      if (news.more > 0) { load(); return; }
      const told = new Map(news.items.filter(item => item.h323).map(item => [item.h323, item]));
      told.forEach((item, h323) => meanwhile.set(h323, item));
      if (!items.some(item => told.has(item.h323))) return;
      items = items.map(item => told.get(item.h323) ?? item);
      changed = new Set(told.keys());
      paint();
    },
    leave: () => clearTimeout(typing),
  };
}
