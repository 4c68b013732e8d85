// The page: who has signed in, which view is shown, and the stream of events that keeps it true.

import { follow, recall, session, signIn, signOut, read } from "./api.js";
import { chip, make, refill, say, time } from "./dom.js";
import { askForToken } from "./sign_in.js";
import * as actors from "./actors.js";
import * as diagnosis from "./diagnosis.js";
import * as log from "./log.js";
import * as overview from "./overview.js";
import * as pbxs from "./pbxs.js";
import * as settings from "./settings.js";
import * as subscriptions from "./subscriptions.js";
import * as user from "./user.js";
import * as users from "./users.js";

const LIGHTS = { master_pbx: "Master PBX", authentication: "Authentication", presence_subscription: "Presence" };
const VIEWS = { "": overview, users, subscriptions, pbxs, actors, log, settings, diagnosis };
const ENDED = "This session has ended: the connector was started again, or nobody has used it for long. Please sign in again.";
const TOPICS = ["status", "users", "actors", "subscriptions", "sessions", "log"];

const main = document.getElementById("main");
const nav = document.querySelector("nav");
let view = null;
let stream = null;

function route() {
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (name === "users" && rest.length > 0 && rest[0]) return [user, "users", rest.join("/")];
  return [VIEWS[name] ?? overview, VIEWS[name] ? name : "", null];
}

async function show() {
  const [module, name, argument] = route();
  for (const link of nav.querySelectorAll("a")) {
    const current = link.getAttribute("href") === `#/${name}`;
    if (!current) link.removeAttribute("aria-current");
    else {
      link.setAttribute("aria-current", "page");
      if (nav.scrollWidth > nav.clientWidth) nav.scrollLeft = link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
    }
  }
  view?.leave?.();
  // a view that is left before it has read all paints into its own place, which nobody sees any more
  const place = make("div", {}, make("p", { class: "empty" }, "Loading…"));
  main.replaceChildren(place);
  const shown = { module };
  view = shown;
  try {
    const made = await module.open(place, argument);
    if (view === shown) view = { module, ...made };
    else made?.leave?.();
  } catch (error) {
    if (error.status === 401) return showSignIn(ENDED);
    place.replaceChildren(make("p", { class: "notice bad", role: "alert" }, error.message));
  }
}

function showStatus(status) {
  const chips = Object.entries(LIGHTS).map(([light, name]) => {
    const { code, state } = status.lights[light];
    return make("li", {}, make("a", { href: "#/" }, chip(`${name}: ${code}`, state === "green" ? "good" : "bad")));
  });
  refill(document.getElementById("chips"), chips);
  const about = `version ${status.version} · started ${time(status.started_at)} · clock ${status.clock_offset_seconds.toFixed(1)} s off`;
  say(document.getElementById("about"), about);
  const red = Object.values(status.lights).some(light => light.state !== "green");
  document.title = `${red ? "● " : ""}m365-connector`;
}

function hear(topic, news) {
  if (topic === "status") showStatus(news);
  if (topic === "reload") show();
  else view?.hear?.(topic, news);
}

function connected(well, ended) {
  if (well) return;
  document.getElementById("about").textContent = "the connector does not answer; trying again";
  if (ended) setTimeout(resume, 2000);
}

/** Begins anew after the stream was refused: the connector was started again, or another instance is active. */
async function resume() {
  if (session.role === null) return;
  stream?.close();
  stream = null;
  try {
    await recall();
    await begin();
  } catch (error) {
    if (error.status === 401) showSignIn(ENDED); else setTimeout(resume, 2000);
  }
}

function showSignIn(refusal) {
  stream?.close();
  stream = null;
  view?.leave?.();
  view = null;
  session.role = null;
  nav.hidden = true;
  document.getElementById("sign-out").hidden = true;
  document.getElementById("chips").replaceChildren();
  document.getElementById("about").textContent = "";
  askForToken(main, async () => {
    await begin();
    main.focus({ preventScroll: true });
  }, refusal);
}

async function begin() {
  nav.hidden = false;
  document.getElementById("sign-out").hidden = false;
  stream ??= follow(TOPICS, hear, connected);
  showStatus(await read("/api/v1/status"));
  await show();
}

document.getElementById("sign-out").addEventListener("click", async () => {
  await signOut();
  showSignIn();
});
window.addEventListener("hashchange", async () => {
  if (session.role === null) return;
  await show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", "/#/");
try {
  if (given) await signIn(given); else await recall();
  await begin();
} catch (error) {
  showSignIn(given ? error.message : undefined);
}
