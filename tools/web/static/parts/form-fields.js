// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Fields of the form of parameters.

import { get } from "../api.js";
import { element } from "./dom.js";

const TYPING = 250; // ms behind the last key until a value counts

/** Bounds and default of a parameter in words. */
export function boundsOf({ minimum, maximum, hint }) {
  const bounds = minimum !== null && maximum !== null ? `${minimum} to ${maximum}` : minimum !== null ? `at least ${minimum}`
    : maximum !== null ? `at most ${maximum}` : "";
  return [bounds, `default: ${hint || "none"}`].filter(Boolean).join("; ");
}

/** A parameter: its name, an editor, its unit, and the way back to the default. Emits "enter" with detail {text}; "" is the default. */
class Field extends EventTarget {
  constructor(about, prefix) {
    super();
    this.about = about;
    this.name = about.name;
    const id = (this.id = `${prefix}field-${about.name}`);
    this.label = element("label", { for: id, class: "form-name" }, about.name);
    this.editor = this.edited(id);
    this.back = element("button", { type: "button", class: "btn plain small form-back", "aria-label": `Default of ${about.name}`, title: `Back to the default of ${about.name}`,
      click: () => this.enter("") }, "↺");
    this.problem = element("div", { id: `${id}-problem`, class: "wrong", role: "alert" });
    const unit = about.unit ? element("span", { class: "form-unit faint" }, about.unit) : null;
    this.element = element("div", { class: "form-row", "data-name": about.name, title: about.description },
      this.label, element("div", { class: "form-edit" }, this.editor, unit, this.list), this.back, this.problem);
    this.editor.setAttribute("aria-describedby", `${id}-problem ${prefix}form-blurb`);
  }

  /** Shows the value; "" is the default. problem: why what somebody typed is none. */
  show(text, problem) {
    this.text = text;
    this.element.classList.toggle("is-set", text !== "");
    this.back.disabled = text === "" && !problem;
    this.problem.textContent = problem ?? "";
    this.editor.classList.toggle("is-invalid", Boolean(problem));
    this.editor.setAttribute("aria-invalid", String(Boolean(problem)));
    if (!problem) this.showText(text);
  }

  matches(words) {
    const text = `${this.name} ${this.about.description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  }

  enter(text) {
    this.dispatchEvent(new CustomEvent("enter", { detail: { text } }));
  }
}

/** A number or a text. */
class TextField extends Field {
  #pause = null; // runs while somebody types
  #entered = null; // what was told last, right or wrong

  edited(id) {
    const { type, hint } = this.about, isNumber = type === "number" || type === "integer";
    return element("input", { id, class: "form-control", type: "text", inputmode: isNumber ? "decimal" : null, placeholder: hint, autocomplete: "off", spellcheck: "false",
      input: () => this.#wait(), change: () => this.#end(), keydown: (event) => event.key === "Enter" && this.#end() });
  }

  showText(text) {
    if (this.#pause !== null) return; // an answer to what was typed before: the rest counts in a moment
    // Nobody's typing is overwritten by the same number in other digits.
    const typed = this.editor.value.trim(), isSame = typed !== "" && text !== "" && (typed === text || Number(typed) === Number(text));
    if (!(document.activeElement === this.editor && isSame)) this.editor.value = text;
  }

  enter(text) {
    this.#rest();
    this.#entered = text;
    super.enter(text);
  }

  #rest() {
    clearTimeout(this.#pause);
    this.#pause = null;
  }

  #wait() {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#end(), TYPING);
  }

  #end() {
    this.#rest();
    const text = this.editor.value.trim();
    if (text !== this.text || (this.problem.textContent && text !== this.#entered)) this.enter(text);
  }
}

/** The place of a file, FOLDER/PATH, or several with commas between them; what lies in the folder is proposed. */
class PlaceField extends TextField {
  #folder = null;

  edited(id) {
    const input = super.edited(id), list = (this.list = element("datalist", { id: `${id}-places` }));
    input.setAttribute("list", list.id);
    for (const event of ["focus", "input"]) input.addEventListener(event, () => this.#propose(input));
    return input;
  }

  async #propose(input) {
    const [, before, folder] = input.value.match(/^(.*,\s*)?(?:(.*)\/)?[^/]*$/);
    const wanted = `${before ?? ""}|${folder ?? ""}`;
    if (wanted === this.#folder) return;
    this.#folder = wanted;
    try {
      const items = folder ? (await get("folders/contents", { query: { place: folder } })).items : (await get("folders")).map(({ name }) => ({ place: name, kind: "folder" }));
      if (this.#folder !== wanted) return;
      this.list.replaceChildren(...items.map(({ place, kind }) => element("option", { value: (before ?? "") + place + (kind === "folder" ? "/" : "") })));
    } catch {
      this.list.replaceChildren(); // it is no folder: the check of the value says so
    }
  }
}

/** One of several words, or yes and no. */
class ChoiceField extends Field {
  edited(id) {
    const { type, choices } = this.about, words = choices ?? ["true", "false"];
    const named = (word) => (type === "boolean" ? { true: "yes", false: "no" }[word] : word);
    return element("select", { id, class: "form-select", change: () => this.enter(this.editor.value === this.#usual ? "" : this.editor.value) },
      ...words.map((word) => element("option", { value: word }, named(word))));
  }

  showText(text) {
    this.editor.value = text || this.#usual;
  }

  get #usual() {
    return String(this.about.default ?? this.about.choices?.[0] ?? "false");
  }
}

export function fieldOf(about, prefix = "") {
  const Kind = about.choices || about.type === "boolean" ? ChoiceField : about.is_place ? PlaceField : TextField;
  const field = new Kind(about, prefix);
  field.show("", null);
  return field;
}
