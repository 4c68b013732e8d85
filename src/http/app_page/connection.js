// The websocket to the connector: build, challenge, login, subscription; and again after a while when it ends.

import { appObject, askForLogin } from "./client.js";

const SHORTEST = 1000;
const LONGEST = 32000;
const BUSY = 60000;
const SIGN_OF_LIFE = 60000;
// a login that the client does not sign in this time ends at the connector, too
const PATIENCE = 25000;

/** The websocket stands where the page does, without the file's name. */
function address() {
  const url = new URL(".", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  url.hash = "";
  return url.href.replace(/\/$/, "");
}

/** A page of another build goes to the present one; to another host it never goes. Tells whether it goes. */
function followBuild(target) {
  const url = new URL(target, location.href);
  const goes = url.origin === location.origin && url.href !== location.href;
  if (goes) location.replace(url.href);
  return goes;
}

/** Keeps a session open; `told` gets every state, `fared` how it goes: connecting, live, lost, refused, unlicensed or busy. */
export function attend(told, fared) {
  let wait = SHORTEST;

  function open() {
    const socket = new WebSocket(address());
    const send = message => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
    let login = null;
    let end = "lost";
    const impatience = setTimeout(() => socket.close(), PATIENCE);
    const life = setInterval(() => send({ mt: "KeepAlive" }), SIGN_OF_LIFE);

    socket.addEventListener("open", () => send({ mt: "CheckBuild", url: location.href }));
    socket.addEventListener("message", event => {
      const message = JSON.parse(event.data);
      switch (message.mt) {
        case "CheckBuildResult":
          // a page that is about to go must not have a login signed, which would reach the page after it
          if (!message.url || !followBuild(message.url)) send({ mt: "AppChallenge" });
          break;
        case "AppChallengeResult":
          askForLogin(message.challenge, signed => {
            login = signed;
            if (!signed.digest) { end = signed.info?.unlicensed ? "unlicensed" : "refused"; socket.close(); return; }
            const { app, domain, sip, guid, dn, info, digest } = signed;
            send({ mt: "AppLogin", app, domain, sip, guid, dn, info, digest, pbxObj: appObject });
          });
          break;
        case "AppLoginResult":
          if (message.ok) send({ mt: "SubscribeState", api: "Microsoft365", src: "state" });
          else { end = login?.info?.unlicensed ? "unlicensed" : "refused"; socket.close(); }
          break;
        case "SubscribeStateResult":
          if (message.error) { end = "busy"; wait = BUSY; socket.close(); }
          break;
        case "State":
          clearTimeout(impatience);
          wait = SHORTEST;
          fared("live");
          told(message.state);
          break;
      }
    });
    socket.addEventListener("close", () => {
      clearTimeout(impatience);
      clearInterval(life);
      fared(end);
      // everybody's socket ends at once when the connector restarts
      setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, Math.max(LONGEST, wait));
    });
  }

  fared("connecting");
  open();
}
