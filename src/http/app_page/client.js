// The PBX's client (myApps) around this page: it says how to look and in which language, and it alone can have the PBX
// sign a login. Both sides speak JSON texts by postMessage; only the window around this one is listened to.

const around = window.parent;
const query = new URLSearchParams(location.search);

/** Whether the page stands within the client at all. */
export const isFramed = around !== window;

/** Name of the App object through which the page was opened, as the client knows it. */
export const appObject = query.get("name") ?? "";

/** The App's title at this PBX. */
export const title = query.get("title") ?? "";

export const look = {
  language: query.get("lang") ?? navigator.language,
  scheme: query.get("scheme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
};

function say(message) {
  if (isFramed) around.postMessage(JSON.stringify(message), "*");
}

let signed = null;

/** Asks for a login that is signed over a challenge; `answered` gets it, or the client's refusal. */
export function askForLogin(challenge, answered) {
  signed = answered;
  say({ mt: "getLogin", app: appObject, challenge });
}

/** Begins to listen; `changed` is told of another language or scheme. */
export function begin(changed) {
  window.addEventListener("message", event => {
    if (event.source !== around || !isFramed || typeof event.data !== "string") return;
    let message;
    try { message = JSON.parse(event.data); } catch { return; }
    switch (message?.mt) {
      case "SetLang": look.language = String(message.lang); changed(); break;
      case "SetScheme": look.scheme = String(message.scheme); changed(); break;
      case "PrepareReload": say({ mt: "PrepareReloadComplete" }); break;
      case "Login": {
        // the session key is of no use here, and so it is kept nowhere
        const { key, ...login } = message;
        const answered = signed;
        // further frames of the App within this one share the window that answers
        const isOurs = !appObject || login.pbxObj === undefined || login.pbxObj === appObject;
        if (answered && isOurs) { signed = null; answered(login); }
        break;
      }
    }
  });
  say({ mt: "Alive" });
}
