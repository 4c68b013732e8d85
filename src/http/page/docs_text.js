// The document's text for people.

import { make } from "./dom.js";

/** One line in pieces: `code` and **weight** are made what they mean. */
export function pieces(text) {
  const piece = part => {
    if (part.startsWith("`")) return make("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return make("strong", {}, part.slice(2, -2));
    return part;
  };
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map(piece);
}

/** Paragraphs. */
export function prose(text) {
  return text.split("\n\n").filter(Boolean).map(paragraph => make("p", {}, pieces(paragraph)));
}
