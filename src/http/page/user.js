// One user: what either side shows, who decided, and the story as a picture.

import { mayChange, order, read } from "./api.js";
import { make, presence, time } from "./dom.js";
import { state } from "./users.js";

function fact(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value ?? "–"));
}

export async function open(main, h323) {
  const path = `/api/v1/users/${encodeURIComponent(h323)}`;
  let user = await read(path);
  const facts = make("div", { class: "card stack" });
  const said = make("p", { role: "status", class: "small" });
  const paint = () => facts.replaceChildren(
    make("div", { class: "row" }, state(user), make("span", { class: "faint" }, user.shard ? `watched by ${user.shard}` : "")),
    make("p", {}, user.explanation),
    make("dl", { class: "facts" },
      fact("Teams shows", presence(user.teams_presence)), fact("PBX shows", presence(user.pbx_presence)),
      fact("Our entry at the PBX", user.shown_at_pbx || "none"), fact("Set in Teams by us", user.set_in_teams || "nothing"),
      fact("Name at the PBX", user.h323), fact("Home PBX", user.pbx), fact("In Teams", user.teams_name), fact("Object id", user.teams_id)));
  const resync = make("button", { type: "button", disabled: !mayChange(), onclick: async () => {
    try { await order(`${path}/resync`); said.textContent = "Both sides are read anew."; } catch (error) { said.textContent = error.message; }
  } }, "Read both sides anew");
  main.replaceChildren(make("p", {}, make("a", { href: "#/users" }, "All users")), make("h2", {}, user.cn || user.h323), make("div", { class: "stack" }, facts, make("div", { class: "row" }, resync, said)));
  paint();
  return {
    hear(topic, news) {
      const told = topic === "users" ? news.items.find(item => item.h323 === user.h323) : null;
      if (told) { user = told; paint(); }
    },
  };
}
