// The Graph subscriptions: what is left of their life, and of their capacity.

import { mayChange, order, read } from "./api.js";
import { bar, chip, make, refill, span, time } from "./dom.js";

function life(item) {
  if (!item.expires_at) return make("p", { class: "faint" }, "not there");
  const left = (new Date(item.expires_at) - Date.now()) / 1000;
  const whole = item.kind === "users" ? 2 * 3600 : 3600;
  return make("div", {}, make("p", { class: "small" }, `ends ${time(item.expires_at)}, in ${span(left)}`), bar(left / whole, left < 300 ? "bad" : left < 900 ? "warn" : ""));
}

function card(item) {
  const users = item.kind === "users";
  const share = item.capacity ? item.users / item.capacity : 0;
  const name = users ? "Users of the directory" : `${item.shard ? `Shard ${item.shard}: ` : ""}${item.account ?? ""}`;
  return make("li", { class: "card stack" },
    make("div", { class: "row" }, make("h3", {}, name), chip(item.code, ["ok", "polling"].includes(item.code) ? "good" : item.code === "no_licensed_users" ? "quiet" : "bad")),
    make("p", {}, item.detail),
    life(item),
    users ? null : make("div", {}, make("p", { class: "small" }, `${item.users} of ${item.capacity} users`), bar(share, share >= 1 ? "bad" : share > .9 ? "warn" : "")),
    make("p", { class: "faint small" }, `created ${item.created} times, renewed ${item.renewed} times${item.missed !== undefined ? `, ${item.missed} changes missed` : ""}`));
}

export async function open(main) {
  let items = (await read("/api/v1/subscriptions?limit=1000")).items;
  const said = make("p", { class: "small", role: "status" });
  const renew = make("button", { type: "button", disabled: !mayChange(), onclick: async () => {
    try { await order("/api/v1/subscriptions/renew"); said.textContent = "The renewal is ordered."; } catch (error) { said.textContent = error.message; }
  } }, "Renew now");
  const list = make("ul", { class: "cards" });
  const paint = () => refill(list, items.length > 0 ? items.map(card) : make("li", { class: "empty" }, "Nothing is subscribed."));
  main.replaceChildren(make("h2", {}, "Subscriptions"), make("div", { class: "fields" }, renew, said), list);
  paint();
  const timer = setInterval(paint, 5000);
  return {
    hear(topic, news) { if (topic === "subscriptions") { items = news.items; paint(); } },
    leave: () => clearInterval(timer),
  };
}
