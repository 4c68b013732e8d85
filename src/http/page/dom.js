// Small tools for making and reading the page; nothing here knows what the page is about.

/** Makes an element: attributes and listeners by name, then its children. Text is never read as markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "width") element.style.width = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== undefined && child !== null && child !== false));
  return element;
}

/** What a person would call the same element after it was painted anew. */
function identity(element) {
  const named = ["id", "aria-label", "href", "name"].map(name => element.getAttribute(name)).find(Boolean);
  return `${element.tagName} ${named ?? element.textContent}`;
}

/** Puts other children in place; the focus stays where it was, if the same is still there. */
export function refill(element, ...children) {
  const focused = element.contains(document.activeElement) && document.activeElement !== element ? identity(document.activeElement) : null;
  element.replaceChildren(...children.flat(Infinity).filter(child => child !== undefined && child !== null && child !== false));
  if (focused === null) return;
  const again = [...element.querySelectorAll("a, button, input, select, summary, [tabindex]")].find(found => identity(found) === focused);
  again?.focus({ preventScroll: true });
}

/** Says something to whoever listens, if it is new. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes an element of a picture. */
export function draw(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function chip(text, kind = "quiet") {
  return make("span", { class: `chip ${kind}` }, text);
}

export function bar(share, kind = "") {
  const percent = Math.max(0, Math.min(1, share)) * 100;
  return make("div", { class: `bar ${kind}`, "aria-hidden": "true" }, make("span", { width: `${percent}%` }));
}

/** A table with labelled cells, so that a phone can show each row as a card. */
export function table(caption, columns, rows) {
  const cells = row => row.cells.map((cell, at) => make("td", { "data-label": columns[at] }, cell ?? "–"));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    make("table", { class: "wide" },
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, columns.map(column => make("th", { scope: "col" }, column)))),
      make("tbody", {}, rows.map(row => make("tr", { "data-key": row.key, class: row.class }, cells(row))))));
}

export function time(text) {
  if (!text) return "–";
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return today ? at.toLocaleTimeString() : at.toLocaleString();
}

/** A span of time in two units at most. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => whole >= size);
  if (first < 0) return "0 s";
  let rest = whole;
  return units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${unit}` : "";
  }).filter(Boolean).join(" ");
}

export function since(text) {
  return text ? span((Date.now() - new Date(text)) / 1000) : "–";
}

/** Which colour a state of either side has. */
export function tone(state) {
  const text = (state ?? "").toLowerCase();
  if (!text) return "unknown";
  if (/dnd|donotdisturb|call|phone|present|focus|urgent|busy|meeting/.test(text)) return "busy";
  if (/away|berightback|lunch|vacation|outofoffice|inactive|idle/.test(text)) return "away";
  if (/offline|offwork|unknown/.test(text)) return "unknown";
  return "free";
}

export function presence(state, none = "none") {
  if (state === null || state === undefined) return make("span", { class: "presence unknown" }, "not known");
  return make("span", { class: `presence ${state === "" ? "free" : tone(state)}` }, state === "" ? none : state);
}
