// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The four states that every place has: empty, working, failed, done. As ../../../gui/tomo_gui/states.py.

import { element } from "./dom.js";

/** One line below a picture: what is made and how far it is, or the first cause of a failure and what to do. The picture stays.
 *  Emits "cancel" and "log" where a person asks for it. `element` goes into the page. */
export class StateLine extends EventTarget {
  #said = element("span", { class: "said", role: "status", "aria-live": "polite" });
  #bar = element("progress", { hidden: true, "aria-label": "Progress" });
  #cancel = element("button", { type: "button", class: "btn small", hidden: true, click: () => this.dispatchEvent(new Event("cancel")) }, "Cancel");
  #log = element("button", { type: "button", class: "btn small", hidden: true, click: () => this.dispatchEvent(new Event("log")) }, "Show log");

  constructor(text = "") {
    super();
    this.element = element("div", { class: "state-line" }, this.#said, this.#bar, this.#cancel, this.#log);
    this.empty(text);
  }

  /** What to do first. */
  empty(text) {
    this.#set("empty", text);
  }

  /** What is made; total 0: nobody knows how long. */
  working(text, { done = 0, total = 0, cancel = false } = {}) {
    this.#set("working", text, { cancel });
    this.#bar.hidden = false;
    if (total) {
      this.#bar.max = total;
      this.#bar.value = done;
    } else {
      this.#bar.removeAttribute("value");
    }
  }

  /** The first cause. */
  failed(text, { log = false } = {}) {
    this.#set("failed", `✕ Failed: ${text}`, { tone: "failure", log });
  }

  /** Something else is wanted than what is shown. */
  stale(text = "The picture is older than the settings.") {
    this.#set("stale", `⚠ ${text}`, { tone: "warning" });
  }

  done(text = "") {
    this.#set("done", text);
  }

  get text() {
    return this.#said.textContent;
  }

  #set(state, text, { tone = "", cancel = false, log = false } = {}) {
    this.state = this.element.dataset.state = state;
    if (this.#said.textContent !== text) this.#said.textContent = text; // nobody hears the same text again
    this.#said.dataset.tone = tone;
    this.#bar.hidden = true;
    this.#cancel.hidden = !cancel;
    this.#log.hidden = !log;
  }
}

/** A place without anything: says what to do first, with buttons. */
export function emptyPage(text, ...buttons) {
  return element("div", { class: "empty-page" }, element("p", {}, text), element("div", { class: "buttons" }, ...buttons));
}

/** A button of a toolbar. Attributes are those of element(). */
export function button(text, click, attributes = {}) {
  return element("button", { type: "button", class: "btn", click, ...attributes }, text);
}

/** The next step of a place, of which there is one. */
export function nextButton(text, click, attributes = {}) {
  return button(text, click, { class: "btn next", ...attributes });
}

/** Elements of a toolbar that stay beside each other. */
export function group(...elements) {
  return element("span", { class: "group" }, ...elements);
}
