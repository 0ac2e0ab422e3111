// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The clipboard, also where browsers give a page none: without TLS, and not of this computer.

import { element } from "./dom.js";
import { button } from "./states.js";

/** Puts a text into the clipboard; resolves to whether it is there. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyMarked(text);
  }
}

/** A button that does so, and says so. */
export function copyButton(text, attributes = {}) {
  const made = button("Copy", async () => {
    made.textContent = (await copy(text)) ? "Copied" : "Mark it, and press Ctrl+C";
  }, { "aria-live": "polite", ...attributes });
  return made;
}

function copyMarked(text) {
  const before = document.activeElement, field = element("textarea", { readonly: true, class: "visually-hidden" });
  field.value = text;
  ([...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body).append(field); // nothing outside a dialog can be marked
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  before?.focus();
  return isCopied;
}
