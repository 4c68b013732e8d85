// The client around an App: it loads the App's page into a frame, tells it how to look, and has the PBX sign its logins.

const bar = document.getElementById("bar");
const frame = document.querySelector("iframe");
const { users, apps, object, title } = await (await fetch("people")).json();

function fill(select, values) {
  select.replaceChildren(...values.map(([value, name]) => new Option(name, value)));
}

fill(bar.user, users.map(user => [user.h323, `${user.cn} (${user.h323})`]));
fill(bar.app, apps.map(app => [app.name, app.name]));
for (const [name, value] of new URLSearchParams(location.search)) {
  if (bar.elements[name]) bar.elements[name].value = value;
}
document.body.classList.toggle("bare", new URLSearchParams(location.search).has("bare"));

function open() {
  const { url } = apps.find(app => app.name === bar.app.value);
  const query = new URLSearchParams({ lang: bar.lang.value, scheme: bar.scheme.value, name: object, title });
  frame.src = `${url}.htm?${query}`;
}

function say(message) {
  frame.contentWindow.postMessage(JSON.stringify(message), "*");
}

window.addEventListener("message", async event => {
  if (event.source !== frame.contentWindow || typeof event.data !== "string") return;
  const message = JSON.parse(event.data);
  if (message.mt !== "getLogin" || message.app !== object) return;
  const query = new URLSearchParams({ user: bar.user.value, app: bar.app.value, challenge: message.challenge });
  say(await (await fetch(`login?${query}`)).json());
});
bar.user.addEventListener("change", open);
bar.app.addEventListener("change", open);
bar.lang.addEventListener("change", () => say({ mt: "SetLang", lang: bar.lang.value }));
bar.scheme.addEventListener("change", () => say({ mt: "SetScheme", scheme: bar.scheme.value }));
open();
