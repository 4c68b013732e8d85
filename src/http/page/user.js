// One user: what either side shows, who decided, and the story as a picture and in words.

import { mayChange, order, read } from "./api.js";
import { draw, make, presence, refill, time, tone } from "./dom.js";
import { pause } from "./pause.js";
import { state } from "./users.js";

const SHOWN = 12;
const COLUMN = 84;
const TEAMS = 34;
const PBX = 148;
const HEIGHT = 30;
const HOPS = { received_to_opened: "opened", opened_to_decided: "decided", decided_to_written: "left", written_to_confirmed: "confirmed" };

function fact(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value ?? "–"));
}

const ofTeams = seen => seen.where.startsWith("teams");
const atPbx = seen => seen.where.startsWith("pbx") || seen.where === "calls";
/** Words are no state. */
const ofPbx = seen => atPbx(seen) && seen.where !== "pbx_note";

/** What a write makes its side show. */
const shownBy = write => write.side === "pbx_call" ? (write.what === "on" ? "on-the-phone" : "") : write.what;

/** What a side shows after each transition, as far as the story tells; unknown before it begins. */
function states(story, seenThere, sides) {
  let now = null;
  return story.map(transition => {
    const seen = transition.seen.filter(seenThere).at(-1);
    const writes = transition.written.filter(write => sides.includes(write.side) && write.outcome !== "refused");
    const written = writes.find(write => write.side === "pbx_call" && write.what === "on") ?? writes.at(-1);
    if (seen) now = seen.what;
    if (written) now = shownBy(written);
    return now;
  });
}

/** One side: a block for each moment, and what it shows from then on, written above or below it. */
function row(label, shown, top, caption) {
  const parts = [draw("text", { x: 0, y: top + 20, class: "faint" }, label)];
  shown.forEach((what, at) => {
    const changed = at === 0 || what !== shown[at - 1];
    parts.push(draw("rect", { x: COLUMN + at * COLUMN, y: top, width: COLUMN, height: HEIGHT, class: what === null ? "unknown" : what === "" ? "free" : tone(what) }));
    if (changed && what !== null) {
      const text = draw("text", { x: COLUMN + at * COLUMN + 4, y: caption, class: "faint" }, (what || "none").split("/").at(-1).slice(0, 13));
      text.append(draw("title", {}, what || "none"));
      parts.push(text);
    }
  });
  return parts;
}

/** Teams above, the PBX below, and between them the decisions with the way that each has taken. */
function picture(story) {
  const width = COLUMN * (story.length + 1);
  const parts = [...row("Teams", states(story, ofTeams, ["teams"]), TEAMS, TEAMS - 5), ...row("PBX", states(story, ofPbx, ["pbx", "pbx_call"]), PBX, PBX + HEIGHT + 14)];
  story.forEach((transition, at) => {
    const x = COLUMN * 1.5 + at * COLUMN;
    const middle = (TEAMS + HEIGHT + PBX) / 2;
    if (transition.seen.some(ofTeams) || transition.written.some(write => write.side.startsWith("teams"))) parts.push(draw("line", { x1: x, x2: x, y1: TEAMS + HEIGHT, y2: middle, class: "hop" }));
    if (transition.seen.some(atPbx) || transition.written.some(write => write.side.startsWith("pbx"))) parts.push(draw("line", { x1: x, x2: x, y1: middle, y2: PBX, class: "hop" }));
    const dot = draw("circle", { cx: x, cy: middle, r: 5 });
    dot.append(draw("title", {}, transition.decided?.why ?? ""));
    parts.push(dot, draw("text", { x: x - 30, y: PBX + HEIGHT + 34, class: "faint" }, new Date(transition.at).toLocaleTimeString()));
  });
  const svg = draw("svg", { viewBox: `0 0 ${width} ${PBX + HEIGHT + 42}`, class: "timeline", role: "img", "aria-label": "Timeline: what Teams and the PBX showed; the same stands below in words" });
  svg.style.minWidth = `${Math.min(width, COLUMN * 9)}px`;
  svg.style.maxWidth = `${width * 1.2}px`;
  svg.append(...parts);
  return svg;
}

function told(transition) {
  const seen = transition.seen.map(look => `${look.where.replaceAll("_", " ")}: ${look.what || "none"}${look.verdict && look.verdict !== "believed" ? ` (${look.verdict.replaceAll("_", " ")})` : ""}`).join("; ");
  const written = transition.written.map(write => `${write.side} ← ${write.what || "none"}: ${write.outcome ?? "under way"}${write.detail ? ` (${write.detail})` : ""}`).join("; ");
  const hops = Object.entries(HOPS).filter(([hop]) => typeof transition.hops_ms?.[hop] === "number").map(([hop, name]) => `${name} ${transition.hops_ms[hop].toFixed(1)} ms`).join(", ");
  const held = (transition.decided?.held ?? []).map(receipt => `${receipt.side} waits for ${receipt.brake} until ${receipt.until ? time(receipt.until) : "an administrator goes on"}`).join("; ");
  return make("li", {}, make("div", {}, make("strong", {}, time(transition.at)), " ", transition.decided?.why ?? ""),
    make("div", { class: "faint small" }, [seen && `seen: ${seen}`, written && `written: ${written}`, held, hops].filter(Boolean).join(" · ")));
}

export async function open(main, h323) {
  const path = `/api/v1/users/${encodeURIComponent(h323)}`;
  let user = await read(path);
  const facts = make("div", { class: "card stack" });
  const story = make("section", { class: "card stack" });
  const said = make("p", { role: "status", class: "small" });
  const paint = () => refill(facts,
    make("div", { class: "row" }, state(user), make("span", { class: "faint" }, user.shard ? `watched by ${user.shard}` : "")),
    make("p", {}, user.explanation),
    ...(user.not_visible ?? []).map(hidden => make("p", { class: "small" }, `Not visible at the PBX (${hidden.what.replaceAll("_", " ")}): ${hidden.cause}. To do: ${hidden.remedy}.`)),
    make("dl", { class: "facts" },
      fact("Teams shows", presence(user.teams_presence)), fact("The PBX shows of its own", presence(user.pbx_presence)),
      fact("Our entry at the PBX", user.shown_at_pbx || "none"), fact("Set in Teams by us", user.set_in_teams || "nothing"),
      ...(user.note_in_teams ? [fact("The PBX's note in Teams", user.note_in_teams.replaceAll("_", " "))] : []),
      ...user.held_back.map(held => fact(`Held back (${held.brake}), ${held.side}`, held.what || "removal")),
      fact("Name at the PBX", user.h323), fact("Home PBX", user.pbx), fact("In Teams", user.teams_name), fact("Object id", user.teams_id)));
  async function tellStory() {
    const transitions = (await read(`${path}/timeline?limit=50`)).items;
    const latest = transitions.slice(0, SHOWN).reverse();
    refill(story, make("h3", {}, "Timeline"), transitions.length > 0
      ? [make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Timeline as a picture" }, picture(latest)), make("ol", { class: "stack" }, transitions.map(told))]
      : make("p", { class: "faint" }, "Nothing has changed yet."));
  }
  const resync = make("button", { type: "button", disabled: !mayChange(), onclick: async () => {
    try { await order(`${path}/resync`); said.textContent = "Both sides are read anew."; } catch (error) { said.textContent = error.message; }
  } }, "Read both sides anew");
  main.replaceChildren(make("p", {}, make("a", { href: "#/users" }, "All users")), make("h2", {}, user.cn || user.h323), make("div", { class: "stack" }, facts, make("div", { class: "row" }, resync, said, await pause(h323)), story));
  paint();
  await tellStory();
  return {
    hear(topic, news) {
      const now = topic === "users" ? news.items.find(item => item.h323 === user.h323) : null;
      if (now) { user = now; paint(); tellStory().catch(error => { said.textContent = error.message; }); }
    },
  };
}
