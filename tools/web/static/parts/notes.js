// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages at the foot of the page: the last one, and the others where a person unfolds them.

import { element } from "./dom.js";

const MOST = 1000; // messages that are kept
const WHILE = 30_000; // ms that a message without a sign stays at the foot
const SIGNS = { error: ["✕ ", "failure"], warning: ["⚠ ", "warning"], info: ["", ""] };

export class Notes {
  #last = element("span", { class: "last", role: "status", "aria-live": "polite" });
  #log = element("pre", { class: "log", hidden: true, tabindex: 0, "aria-label": "Messages", id: "log" });
  #fold = element("button", { type: "button", class: "btn plain small", "aria-expanded": "false", "aria-controls": "log", click: () => this.#turn() }, "Log");
  #lines = [];
  #timer = null;

  constructor(room) {
    room.append(this.#log, element("div", { class: "line" }, this.#last, this.#fold));
  }

  /** level: error, warning or info */
  add(level, text) {
    const [sign, tone] = SIGNS[level] ?? SIGNS.info;
    this.#lines = [...this.#lines.slice(1 - MOST), `${new Date().toLocaleTimeString("en-GB")} ${level}: ${text}`];
    this.#log.textContent = this.#lines.join("\n");
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#last.textContent = sign + text.split("\n")[0];
    this.#last.title = text;
    this.#last.dataset.tone = tone;
    clearTimeout(this.#timer);
    if (!sign) this.#timer = setTimeout(() => this.calm(), WHILE);
  }

  /** The foot has no old message; the log keeps it. */
  calm() {
    this.#last.textContent = this.#last.title = "";
  }

  #turn() {
    this.#log.hidden = !this.#log.hidden;
    this.#fold.setAttribute("aria-expanded", String(!this.#log.hidden));
    this.#log.scrollTop = this.#log.scrollHeight;
  }
}
