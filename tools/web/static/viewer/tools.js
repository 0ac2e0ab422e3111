// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Pieces of the toolbars above viewers.

import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";
import { NAMES } from "./maps.js";

/** Buttons of which one is pressed. choices: {name: [text, tip]}; `choose` gets a name. `mark(name)` shows another one as pressed. */
export class Choice {
  #buttons = new Map();

  constructor(label, choices, choose, chosen = Object.keys(choices)[0]) {
    this.element = element("div", { class: "viewer-choice", role: "group", "aria-label": label });
    for (const [name, [text, tip]] of Object.entries(choices)) {
      const made = button(text, () => {
        this.mark(name);
        choose(name);
      }, { title: tip });
      this.#buttons.set(name, made);
      this.element.append(made);
    }
    this.mark(chosen);
  }

  mark(chosen) {
    this.chosen = chosen;
    for (const [name, made] of this.#buttons) made.setAttribute("aria-pressed", String(name === chosen));
  }

  disable(name, isDisabled) {
    this.#buttons.get(name).disabled = isDisabled;
  }
}

/** A button that stays pressed; `change` gets whether it is. */
export class Toggle {
  constructor(text, change, attributes = {}) {
    this.element = button(text, () => {
      this.value = !this.value;
      change(this.value);
    }, attributes);
    this.value = false;
  }

  get value() {
    return this.element.getAttribute("aria-pressed") === "true";
  }

  set value(value) {
    this.element.setAttribute("aria-pressed", String(value));
  }
}

export function mapSelect(choose, label = "Colours") {
  return element("select", { class: "form-select", "aria-label": label, title: label, change: (event) => choose(event.target.value) },
    ...NAMES.map((name) => element("option", { value: name }, name)));
}

/** A slider with its value beside it: {element, value, most}; `change` gets the value. text(value) tells it. */
export class Slider {
  #text;

  constructor(label, change, { title = label, least = 0, most = 1, step = 1, value = 0, text = (one) => String(one) } = {}) {
    this.#text = text;
    this.input = element("input", { type: "range", min: least, max: most, step, value, "aria-label": title, input: () => {
      this.#tell();
      change(Number(this.input.value));
    } });
    this.said = element("output", { class: "viewer-number" });
    this.element = element("label", { class: "viewer-slider" }, element("span", {}, label), this.said, this.input);
    this.#tell();
  }

  #tell() {
    this.said.textContent = this.#text(Number(this.input.value));
    this.input.setAttribute("aria-valuetext", this.said.textContent);
  }

  get value() {
    return Number(this.input.value);
  }

  set value(value) {
    if (Number(this.input.value) === value) return;
    this.input.value = value;
    this.#tell();
  }

  set most(most) {
    this.input.max = most;
    this.#tell();
  }
}

/** Lets the browser save a Blob. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
