"use strict";

const PERIOD = 2000;
const NAMES = { master_pbx: "Master PBX", authentication: "Authentication", presence_subscription: "Presence subscription" };
const COUNTS = { teams: "Teams users", pbx: "PBX users", matched: "Matched", licensed: "Licensed", synchronised: "Synchronised" };

const element = id => document.getElementById(id);
let timer = 0;

function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (name) node.className = name;
  return node;
}

function rows(target, items, cells) {
  target.replaceChildren(...items.map(item => {
    const row = make("tr");
    row.append(...cells(item));
    return row;
  }));
}

function time(text) {
  if (!text) return "";
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return today ? at.toLocaleTimeString() : at.toLocaleString();
}

function showStatus(status) {
  element("about").textContent = `version ${status.version}, started ${new Date(status.started_at).toLocaleString()}, clock offset ${status.clock_offset_seconds.toFixed(1)} s`;
  element("lights").replaceChildren(...Object.entries(status.lights).map(([name, light]) => {
    const item = make("li", null, light.state);
    item.append(make("strong", NAMES[name] ?? name), make("span", `${light.state}: ${light.code}`, "state"), make("p", light.detail));
    return item;
  }));
  element("counts").replaceChildren(...Object.entries(status.users).map(([name, count]) => {
    const item = make("div");
    item.append(make("dt", COUNTS[name] ?? name), make("dd", count));
    return item;
  }));
  rows(element("sessions"), status.sessions, session => [make("td", session.pbx), make("td", session.role), make("td", session.state), make("td", time(session.since))]);
  rows(element("subscriptions"), status.subscriptions, item => [make("td", item.kind), make("td", item.account ?? ""), make("td", item.kind === "users" ? "" : item.users), make("td", time(item.expires_at))]);
}

function showActors(actors) {
  const depth = new Map();
  for (const actor of actors) depth.set(actor.name, actor.supervisor ? depth.get(actor.supervisor) + 1 : 0);
  rows(element("actors"), actors, actor => {
    const restarts = Object.values(actor.restarts ?? {}).reduce((sum, count) => sum + count, 0);
    const end = [actor.last_end?.reason, actor.last_end?.text].filter(Boolean).join(": ");
    return [make("td", actor.name, `depth-${depth.get(actor.name)}`), make("td", actor.state, actor.state), make("td", actor.run), make("td", restarts), make("td", actor.mailbox_depth ?? ""), make("td", end, "long")];
  });
}

async function read(path, token) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
  if (response.status === 401) throw new Error("the token is not accepted");
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function refresh(token) {
  clearTimeout(timer);
  try {
    // one after the other: the status asks every actor, and its questions would be counted as waiting messages
    const actors = await read("/api/v1/actors?limit=1000", token);
    const status = await read("/api/v1/status", token);
    sessionStorage.setItem("token", token);
    element("sign-in").hidden = true;
    element("content").hidden = false;
    showStatus(status);
    showActors(actors.items);
  } catch (error) {
    if (element("content").hidden || error.message.includes("token")) {
      sessionStorage.removeItem("token");
      element("content").hidden = true;
      element("sign-in").hidden = false;
      element("refusal").textContent = error.message;
      return;
    }
    element("about").textContent = `the connector does not answer: ${error.message}`;
  }
  timer = setTimeout(() => refresh(token), PERIOD);
}

element("sign-in").addEventListener("submit", event => {
  event.preventDefault();
  refresh(element("token").value.trim());
});

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", "/");
const token = given ?? sessionStorage.getItem("token");
if (token) refresh(token); else element("sign-in").hidden = false;
