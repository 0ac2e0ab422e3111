// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The form of the parameters, made from their schema, bound to Settings.

import { parameters } from "../settings.js";
import { element } from "./dom.js";
import { boundsOf, fieldOf } from "./form-fields.js";

const OPEN = ["reconstruction", "axis", "flat-correction"]; // sections, at first

/** All parameters that a person may set, by sections, with a search. `element` goes into the page; `ready` resolves when it is made. */
export class Form {
  fields = new Map();
  #settings;
  #schema;
  #open;
  #prefix;
  #sections = [];
  #search = element("input", { type: "search", class: "form-control wide", placeholder: "Search settings", "aria-label": "Search settings", autocomplete: "off", spellcheck: "false",
    input: () => this.#choose() });
  #advanced = this.#check("Advanced");
  #changed = this.#check("Changed");
  #none = element("p", { class: "faint form-none", hidden: true, role: "status" }, "No setting has this word.");
  #body = element("div", { class: "form-body" });
  #blurb;

  /** schema: a promise of {sections, parameters}; `open`: sections that are unfolded at first; `prefix` begins the ids of fields. */
  constructor(settings, { schema = parameters(), open = OPEN, prefix = "" } = {}) {
    this.#settings = settings;
    [this.#schema, this.#open, this.#prefix] = [schema, open, prefix];
    this.#blurb = element("div", { class: "form-blurb faint", id: `${prefix}form-blurb` });
    this.element = element("div", { class: "form" },
      element("div", { class: "toolbar form-top" }, this.#search, this.#advanced.label, this.#changed.label), this.#none, this.#body, this.#blurb);
    this.ready = this.#make();
  }

  /** Shows a field and puts the cursor there. */
  async find(name) {
    await this.ready;
    const field = this.fields.get(name);
    if (!field) return;
    this.#search.value = "";
    if (field.about.level === "advanced") this.#advanced.box.checked = true;
    this.#choose();
    field.element.closest("details").open = true;
    field.element.scrollIntoView({ block: "nearest" });
    field.editor.focus();
  }

  async #make() {
    const { sections, parameters: all } = await this.#schema;
    for (const { name, title } of sections) {
      const fields = all.filter((one) => one.section === name && !one.by_server).map((about) => this.#field(about));
      if (!fields.length) continue;
      const box = element("details", { class: "form-section", "data-section": name, open: this.#open.includes(name) },
        element("summary", {}, title), ...fields.map((field) => field.element));
      this.#sections.push({ box, fields });
      this.#body.append(box);
    }
    this.#settings.addEventListener("change", ({ detail }) => this.#show(detail.names));
    this.#show([...this.fields.keys()]);
    this.#choose();
  }

  #field(about) {
    const field = fieldOf(about, this.#prefix);
    this.fields.set(about.name, field);
    field.addEventListener("enter", ({ detail }) => this.#settings.set(about.name, detail.text));
    for (const event of ["focusin", "pointerenter"]) field.element.addEventListener(event, () => this.#explain(about));
    return field;
  }

  #explain(about) {
    const focused = this.#body.querySelector(".form-row:focus-within")?.dataset.name;
    if (focused && focused !== about.name) return; // the field that is typed into
    this.#blurb.replaceChildren(element("b", {}, about.name), ` ${about.description}; ${boundsOf(about)}`);
  }

  #show(names) {
    for (const name of names) this.fields.get(name)?.show(this.#settings.texts[name] ?? "", this.#settings.problems[name]);
    if (this.#changed.box.checked) this.#choose();
  }

  #check(text) {
    const box = element("input", { type: "checkbox", class: "form-check-input", change: () => this.#choose() });
    return { box, label: element("label", { class: "form-check" }, box, ` ${text}`) };
  }

  #choose() {
    const words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isWanted = (field) => {
      const isSet = !this.#settings.isDefault(field.name);
      return field.matches(words) && (!this.#changed.box.checked || isSet)
        && (words.length > 0 || this.#advanced.box.checked || field.about.level === "basic" || isSet);
    };
    let found = false;
    for (const { box, fields } of this.#sections) {
      let has = false;
      for (const field of fields) {
        const wanted = isWanted(field);
        field.element.hidden = !wanted;
        has ||= wanted;
      }
      box.hidden = !has;
      found ||= has;
      if (has && (words.length || this.#changed.box.checked)) box.open = true;
    }
    this.#none.hidden = found;
  }
}
