// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The file of rules as it is: it is changed on the computer, nowhere else.

import { element } from "../parts/dom.js";

export class RuleFile {
  #name = element("p", { class: "faint" });
  #text = element("pre", { class: "rule-file scroll", tabindex: 0, "aria-label": "File of rules" });

  constructor(room) {
    room.append(this.#name, this.#text);
  }

  take({ file, content }) {
    const name = file ? `${file}. Change it on the computer that watches: it is read again by itself.` : "There is no file of rules: tomo-web --watch RULES names one.";
    if (this.#name.textContent !== name) this.#name.textContent = name;
    if (this.#text.textContent !== (content ?? "")) this.#text.textContent = content ?? "";
    this.#text.hidden = !content;
  }
}
