// What a person sees: both sides, which of them decides, and what is missing; for administrators the lights below.

import { draw, make, since, tone } from "./dom.js";

function initials(name) {
  const words = (name ?? "").replace(/[,;].*$/, "").split(/\s+/).filter(Boolean);
  return words.length === 0 ? "?" : (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

/** Teams tells availability and activity; the activity says more. */
function teamsState(pair, texts) {
  if (!pair) return { name: texts.unknown, tone: "unknown" };
  const activity = pair.split("/").at(-1);
  return { name: texts.teams[activity] ?? activity, tone: tone(activity) };
}

function pbxState(user, texts) {
  const activity = user.pbx_presence || user.shown_at_pbx;
  if (activity) return { name: texts.pbx[activity] ?? activity, tone: tone(activity), origin: user.pbx_presence ? "" : texts.fromTeams };
  if (user.pbx_presence === null && user.shown_at_pbx === null) return { name: texts.unknown, tone: "unknown" };
  return { name: texts.pbx[""], tone: "free" };
}

function side(system, name, state, origin) {
  return make("section", { class: "side", "aria-label": system },
    make("div", { class: `badge ${state.tone}`, "aria-hidden": "true" }, initials(name)),
    make("p", { class: "system" }, system),
    make("p", { class: "name" }, name || "–"),
    make("p", { class: `state ${state.tone}` }, state.name),
    make("p", { class: "origin" }, origin ?? ""));
}

function flow(decidedBy) {
  const direction = { pbx: "to-teams", teams: "to-pbx" }[decidedBy] ?? "none";
  const arrow = draw("svg", { viewBox: "0 0 100 24", preserveAspectRatio: "none" }, draw("path", { class: "line", d: "M2 12H96" }));
  if (direction !== "none") arrow.append(draw("path", { d: "M88 4L98 12L88 20" }));
  return make("div", { class: `flow ${direction}`, "aria-hidden": "true" }, arrow);
}

function notice(title, ...lines) {
  return make("div", { class: "notice" }, make("p", {}, make("strong", {}, title)), lines.filter(Boolean).map(line => make("p", {}, line)));
}

function verdict(user, state, texts) {
  if (!user.synchronised) {
    const [title, remedy] = texts.reasons[user.reason] ?? texts.reasons.other;
    return [make("p", {}, make("strong", {}, title)), make("p", { class: "faint" }, remedy.replace("{license}", state.license)),
      state.explanation && make("p", { class: "faint small", lang: "en" }, state.explanation)];
  }
  return [make("p", {}, make("strong", {}, texts.decided[user.decided_by])),
    make("p", { class: "faint" }, texts.claims[user.teams_claim_state] ?? texts.claims.none),
    state.administrator && make("p", { class: "faint small", lang: "en" }, user.why)];
}

function person(state, texts) {
  const user = state.user;
  const teams = teamsState(user.teams_presence, texts);
  const pbx = pbxState(user, texts);
  const fromPbx = ["shown", "lifted"].includes(user.teams_claim_state) ? texts.fromPbx : "";
  return make("article", { class: "card" },
    make("div", { class: "sides" },
      side(texts.atPbx, user.cn || user.h323, pbx, pbx.origin),
      flow(user.decided_by),
      side(texts.inTeams, user.teams_name, user.teams_name ? teams : { name: texts.notLinked, tone: "unknown" }, fromPbx)),
    make("div", { class: "verdict" }, verdict(user, state, texts)),
    make("dl", { class: "linked" },
      fact(texts.name, user.h323), fact(texts.home, user.pbx),
      user.set_in_teams && fact(texts.set, user.set_in_teams.replaceAll("/", " / ")),
      user.note_in_teams && fact(texts.note, texts.notes[user.note_in_teams] ?? texts.notes.waiting)));
}

function fact(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value));
}

function light(name, light, texts, open) {
  const green = light.state === "green";
  return make("details", { class: `card light ${light.state}`, "data-light": name, open: open.get(name) ?? !green },
    make("summary", {}, make("strong", {}, texts.lights[name]), make("span", { class: `chip ${green ? "good" : ""}` }, green ? texts.green : texts.red),
      make("code", { class: "faint" }, light.code)),
    make("div", { class: "told" }, make("p", { lang: "en" }, light.detail), make("p", { class: "faint small" }, texts.since.replace("{span}", since(light.since)))));
}

/** What a screen reader should say when it changes. */
export function summary(state, texts) {
  const user = state?.user;
  if (!user) return "";
  if (!user.synchronised) return (texts.reasons[user.reason] ?? texts.reasons.other)[0];
  return `${texts.atPbx}: ${pbxState(user, texts).name}. ${texts.inTeams}: ${teamsState(user.teams_presence, texts).name}. ${texts.decided[user.decided_by]}`;
}

/** Shows everything anew; what was opened stays open, and the focus where it was. */
export function show(main, { state, fare }, texts) {
  const opened = new Map([...main.querySelectorAll("details")].map(details => [details.dataset.light, details.open]));
  const focused = document.activeElement?.closest?.("details")?.dataset.light;
  main.replaceChildren(...content(state, fare, texts, opened).flat().filter(Boolean));
  if (focused) main.querySelector(`details[data-light="${focused}"] summary`)?.focus();
}

function content(state, fare, texts, opened) {
  const trouble = texts.troubles[fare];
  if (!state) return [trouble && notice(...trouble)];
  const unknown = texts.people[state.known];
  const lights = state.lights ? Object.keys(texts.lights).map(name => light(name, state.lights[name], texts, opened)) : [];
  return [
    fare !== "live" && trouble && notice(...trouble),
    state.user ? person(state, texts) : unknown && notice(...unknown),
    lights.length > 0 && [make("h2", {}, texts.connector), make("div", { class: "lights" }, lights),
      make("footer", { class: "faint small" }, `m365-connector ${state.version}`)],
  ];
}
