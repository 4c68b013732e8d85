// The app: what the client around it wants, what the connector tells, and how both are shown.

import { begin, isFramed, look, title } from "./client.js";
import { attend } from "./connection.js";
import { textsOf } from "./texts.js";
import { show, summary } from "./view.js";

const root = document.documentElement;
const main = document.getElementById("main");
const announcement = document.getElementById("announcement");
const connection = document.getElementById("connection");

const shown = { state: null, fare: isFramed ? "connecting" : "unframed" };

function paint() {
  const texts = textsOf(look.language);
  root.lang = texts.language;
  root.dataset.scheme = look.scheme === "dark" ? "dark" : "light";
  document.getElementById("title").textContent = document.title = title || texts.title;
  connection.textContent = texts.fares[shown.fare] ?? "";
  connection.className = shown.fare === "live" ? "live" : shown.fare === "connecting" ? "" : "lost";
  show(main, shown, texts);
  const said = summary(shown.state, texts);
  if (announcement.textContent !== said) announcement.textContent = said;
}

begin(paint);
paint();
if (isFramed) {
  attend(
    state => { shown.state = state; paint(); },
    fare => { if (shown.fare !== fare) { shown.fare = fare; paint(); } },
  );
}
// since when a light shows what it shows
setInterval(() => { if (shown.state?.lights) paint(); }, 30000);
