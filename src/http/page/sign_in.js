// The form that makes a session of a token.

import { signIn } from "./api.js";
import { make } from "./dom.js";

/** Shows the form; `begin` goes on when somebody has signed in. */
export function askForToken(main, begin, refusal) {
  const message = make("p", { class: "refusal", role: "alert" }, refusal ?? "");
  const token = make("input", { id: "token", type: "password", autocomplete: "current-password", required: true });
  const form = make("form", { id: "sign-in", class: "card" },
    make("h2", {}, "Sign in"),
    make("label", { for: "token" }, "Management token", token),
    make("button", {}, "Open"),
    message,
    make("p", { class: "faint small" }, "The token of management.token, or of management.viewer_token to read only. It becomes a session of this browser and is not kept."));
  form.addEventListener("submit", async event => {
    event.preventDefault();
    try {
      await signIn(token.value.trim());
      begin();
    } catch (error) {
      message.textContent = error.message;
      token.select();
    }
  });
  main.replaceChildren(form);
  token.focus();
}
