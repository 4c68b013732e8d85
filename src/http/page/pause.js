// The pause of one user: his newest state waits, and what stands stays, until an administrator goes on.

import { change, mayChange, readTagged } from "./api.js";
import { make, say } from "./dom.js";

const KEY = "sync.paused_users";

/** Who is paused by the settings in force, and the tag of those. */
async function paused() {
  const { json, etag } = await readTagged("/api/v1/settings?limit=1000");
  return { names: json.items.find(item => item.key === KEY)?.value ?? [], etag };
}

/** A button that pauses a user or goes on with him, and what came of it. */
export async function pause(h323) {
  const same = name => name.toLowerCase() === h323.toLowerCase();
  const said = make("p", { role: "status", class: "small" });
  let is = false;
  const button = make("button", { type: "button", class: "plain", disabled: !mayChange(), onclick: async () => {
    const wanted = !is;
    try {
      const { names, etag } = await paused();
      const others = names.filter(name => !same(name));
      await change("/api/v1/settings", { [KEY]: wanted ? [...others, h323] : others }, etag);
      show(wanted);
      say(said, wanted ? "Paused: the newest state waits, and what stands stays." : "Goes on.");
    } catch (error) {
      say(said, error.message);
    }
  } });
  function show(now) {
    is = now;
    say(button, is ? "Go on with this user" : "Pause this user");
  }
  show((await paused()).names.some(same));
  return [button, said];
}
