// The supervision tree as a picture, with restarts, the last end and the mailbox of everybody.

import { mayChange, order, read } from "./api.js";
import { bar, chip, make, refill, since } from "./dom.js";

const KINDS = { running: "good", starting: "quiet", waiting: "warn", held: "bad", ended: "bad" };

function restarts(node) {
  const parts = Object.entries(node.restarts ?? {}).filter(([, count]) => count > 0).map(([reason, count]) => `${count} ${reason}`);
  return parts.length > 0 ? parts.join(", ") : "none";
}

function node(item, children, restart) {
  const end = item.last_end ? `${item.last_end.reason}${item.last_end.text ? `: ${item.last_end.text}` : ""} at ${item.last_end.place}` : "has never ended";
  const waits = item.reason ? make("div", { class: "faint small" }, item.reason) : null;
  return make("li", {},
    make("div", { class: "card node" },
      make("div", {}, make("strong", {}, item.name), make("div", { class: "faint small" }, `${item.kind}, run ${item.run}${item.started_at ? `, for ${since(item.started_at)}` : ""}`)),
      make("div", {}, chip(item.state, KINDS[item.state] ?? "quiet"), waits),
      make("div", { class: "small" }, `mailbox ${item.mailbox_depth}`, bar(item.mailbox_depth / 100, item.mailbox_depth > 50 ? "warn" : "")),
      make("div", { class: "small" }, `restarts: ${restarts(item)}`, make("div", { class: "faint" }, end)),
      make("button", { type: "button", class: "plain", disabled: !mayChange(), "aria-label": `Restart ${item.name}`, onclick: () => restart(item.name) }, "Restart")),
    children.length > 0 ? make("ul", {}, children) : null);
}

export async function open(main) {
  let items = (await read("/api/v1/actors?limit=1000")).items;
  const said = make("p", { role: "status", class: "small" });
  const restart = async name => {
    try { await order(`/api/v1/actors/${encodeURIComponent(name)}/restart`); said.textContent = `The restart of ${name} is ordered.`; } catch (error) { said.textContent = error.message; }
  };
  const tree = make("ul", { class: "tree" });
  const below = supervisor => items.filter(item => (item.supervisor ?? null) === supervisor).map(item => node(item, below(item.name), restart));
  const paint = () => refill(tree, below(null));
  main.replaceChildren(make("h2", {}, "Actors"), said, tree);
  paint();
  return { hear(topic, news) { if (topic === "actors") { items = news.items; paint(); } } };
}
