// Lights with cause and remedy, warnings, and how far the users come.

import { read } from "./api.js";
import { bar, chip, make, presence, refill, since } from "./dom.js";

const NAMES = { master_pbx: "Connection to the master PBX", authentication: "Authentication at Microsoft", presence_subscription: "Presence subscription" };
const STAGES = [["teams", "Teams users"], ["pbx", "PBX users"], ["matched", "Matched"], ["licensed", "Licensed"], ["synchronised", "Synchronised"]];

function light([name, title], lights) {
  const light = lights[name];
  const green = light.state === "green";
  return make("li", { class: `card light ${light.state}` },
    make("div", { class: "row" }, make("h3", {}, title), chip(green ? "green" : "red", green ? "good" : "bad")),
    make("p", {}, make("code", {}, light.code), make("span", { class: "faint small" }, ` for ${since(light.since)}`)),
    make("p", {}, light.detail));
}

function funnel(counts) {
  const most = Math.max(1, ...STAGES.map(([stage]) => counts[stage]));
  return make("div", { class: "card" },
    make("h3", {}, "Users"),
    make("div", { class: "funnel" }, STAGES.map(([stage, name]) =>
      make("div", {}, make("span", {}, name), bar(counts[stage] / most), make("span", { class: "number" }, counts[stage])))),
    make("p", { class: "small" }, make("a", { href: "#/users?synchronised=false" }, `Who is not synchronised, and why`)));
}

function connections(status) {
  const sessions = status.sessions.map(session =>
    make("li", { class: "row" }, make("strong", {}, session.pbx), make("span", { class: "faint" }, session.role), chip(session.state, session.state === "up" ? "good" : "bad"), make("span", { class: "faint small" }, `for ${since(session.since)}`)));
  return make("div", { class: "card" }, make("h3", {}, "PBXs"),
    sessions.length > 0 ? make("ul", { class: "stack" }, sessions) : make("p", { class: "faint" }, "None is connected."),
    make("p", { class: "small" }, make("a", { href: "#/pbxs" }, "Connections in full")));
}

function warnings(status) {
  const items = (status.warnings ?? []).map(warning => make("li", { class: "card warning" }, make("code", {}, warning.code), make("p", {}, warning.detail)));
  return items.length > 0 ? make("section", {}, make("h3", {}, "Warnings"), make("ul", { class: "stack" }, items)) : null;
}

function changes(lately) {
  const rows = lately.slice(0, 8).map(item => make("li", { class: "row" },
    make("a", { href: `#/users/${encodeURIComponent(item.h323)}` }, item.cn || item.h323),
    presence(item.teams_presence), make("span", { class: "faint", "aria-hidden": "true" }, "↔"), presence(item.shown_at_pbx || item.pbx_presence)));
  return make("div", { class: "card" }, make("h3", {}, "Lately changed"),
    rows.length > 0 ? make("ul", { class: "stack" }, rows) : make("p", { class: "faint" }, "Nobody since this page was opened."));
}

export async function open(main) {
  let status = await read("/api/v1/status");
  let lately = [];
  const paint = () => refill(main, make("h2", {}, "Overview"), make("div", { class: "stack" },
    make("ul", { class: "cards" }, Object.entries(NAMES).map(name => light(name, status.lights))),
    warnings(status),
    make("div", { class: "cards" }, funnel(status.users), connections(status), changes(lately))));
  paint();
  const timer = setInterval(paint, 10000);
  return {
    hear(topic, news) {
      if (topic === "status") status = news;
      else if (topic === "users") lately = [...news.items.filter(item => item.h323), ...lately.filter(old => !news.items.some(item => item.h323 === old.h323))].slice(0, 8);
      else return;
      paint();
    },
    leave: () => clearInterval(timer),
  };
}
