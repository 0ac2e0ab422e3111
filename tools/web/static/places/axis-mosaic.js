// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Slices for several values of a parameter beside each other; a click takes one.

import { get, post, samples } from "../api.js";
import { element } from "../parts/dom.js";
import { button, group, StateLine } from "../parts/states.js";
import { namesOf, parameters } from "../settings.js";
import { ImageView } from "../viewer/image.js";
import { percentiles, sample } from "../viewer/levels.js";
import { axisOrMiddle, TAB } from "./axis-facts.js";
import { number } from "./axis-overlay.js";

/** Slices in one window of grey and one crop. Emits "choose" with detail {value}. */
class Mosaic extends EventTarget {
  cells = [];
  #isLinking = false;
  element = element("div", { class: "mosaic" });

  show(values, stack, unit, label) {
    this.clear();
    const { data, shape: [count, height, width] } = stack;
    const levels = percentiles(sample({ data, width, height: height * count }));
    values.forEach((value, i) => this.#add(value, `${value} ${unit}`.trim(), { data: data.subarray(i * width * height, (i + 1) * width * height), width, height }, levels, label));
  }

  #add(value, text, image, levels, label) {
    const take = button(text, () => this.#choose(value), { class: "btn small mosaic-take", "aria-pressed": "false" });
    const room = element("div", { class: "mosaic-cell", "data-value": value }, take);
    this.element.append(room);
    const view = new ImageView(room, { label: `${label} ${text}`, scaleBar: false, corner: false });
    view.show(image, { fit: true, levels });
    view.addEventListener("pick", () => this.#choose(value));
    view.addEventListener("moved", () => this.#link(view, (other) => other.showLike(view)));
    view.addEventListener("levels", () => this.#link(view, (other) => other.setLevels(...view.levels)));
    this.cells.push({ value, room, take, view });
  }

  #link(changed, does) {
    if (this.#isLinking) return;
    this.#isLinking = true;
    for (const { view } of this.cells) if (view !== changed) does(view);
    this.#isLinking = false;
  }

  #choose(value) {
    this.mark(value);
    this.dispatchEvent(new CustomEvent("choose", { detail: { value } }));
  }

  mark(value) {
    for (const { value: own, room, take } of this.cells) {
      room.classList.toggle("is-chosen", own === value);
      take.setAttribute("aria-pressed", String(own === value));
    }
  }

  clear() {
    for (const { view } of this.cells) view.close();
    this.cells = [];
    this.element.replaceChildren();
  }
}

/** A sweep of one row, or of the axis in two rows, which tell its tilt. */
export class MosaicPage {
  #frame;
  #number = null;
  #made = null; // {parameter, values, rows, settings} that the slices are of
  #picked = [null, null]; // {row, axis} above and below
  #proposed = "";
  #asking = null;
  #mosaics = [new Mosaic(), new Mosaic()];
  #parameter = element("select", { class: "form-select", "aria-label": "Parameter", id: "sweep-parameter", change: () => this.#propose() });
  #values = element("input", { class: "form-control wide", "aria-label": "Values", id: "sweep-values", title: "FROM:TO:STEP, or values with commas between them", autocomplete: "off", spellcheck: "false",
    keydown: (event) => event.key === "Enter" && this.make() });
  #row = number("sweep-row", { min: 0 });
  #lower = number("sweep-lower-row", { min: 0, "aria-label": "Lower row" });
  #two = element("input", { type: "checkbox", class: "form-check-input", id: "two-rows", change: () => this.#arrange() });
  #finer = button("Finer", () => this.#scale(0.4), { class: "btn small", id: "finer" });
  #wider = button("Wider", () => this.#scale(2.5), { class: "btn small", id: "wider" });
  #tilt = element("span", { role: "status" });
  #takeBoth = button("Take both", () => this.#takeTilt(), { class: "btn small", disabled: true, id: "take-tilt" });

  constructor(frame) {
    this.#frame = frame;
    this.state = new StateLine();
    this.state.addEventListener("cancel", () => this.#asking?.abort());
    this.#twoLabel = element("label", { class: "form-check", title: "Axes in two rows tell the tilt" }, this.#two, " Two rows");
    this.element = element("div", { class: "mosaic-page", hidden: true },
      element("div", { class: "toolbar" }, this.#parameter, this.#values, button("Make slices", () => this.make(), { class: "btn small", id: "make-slices", disabled: frame.person.role === "viewer" })),
      element("div", { class: "toolbar" }, group(element("label", { for: "sweep-row" }, "Row"), this.#row, this.#lower), this.#twoLabel, this.#finer, this.#wider, this.#tilt, this.#takeBoth),
      element("div", { class: "surround mosaics" }, ...this.#mosaics.map((mosaic) => mosaic.element)), this.state.element);
    this.#mosaics.forEach((mosaic, i) => mosaic.addEventListener("choose", ({ detail }) => this.#pick(i, detail.value)));
    frame.settings.addEventListener("change", ({ detail }) => this.#change(detail.changed));
    this.ready = parameters().then(({ parameters: all, about }) => {
      this.#about = about;
      const swept = ["axis", "offset", ...all.filter((one) => one.is_swept && !["axis", "offset"].includes(one.name)).map((one) => one.name)];
      this.#parameter.replaceChildren(...swept.map((name) => element("option", { value: name }, name)));
    });
  }

  #about; #twoLabel;

  async show() {
    await this.ready;
    const { dataset } = this.#frame;
    if (this.#number === dataset.id) return;
    this.#number = dataset.id;
    this.clear();
    const { height } = dataset.facts;
    Object.assign(this.#row, { max: height - 1, value: Math.floor((height - 1) / 2) });
    Object.assign(this.#lower, { max: height - 1, value: height - 1 - Math.floor(height / 8) });
    this.state.empty("Choose values, and make slices. A click takes the value of a slice");
    await this.#propose();
  }

  clear() {
    this.#asking?.abort();
    for (const mosaic of this.#mosaics) mosaic.clear();
    this.#made = null;
    this.#picked = [null, null];
    this.#tellTilt();
  }

  get #isOfTwo() {
    return this.#two.checked && this.#parameter.value === "axis";
  }

  /** Makes the slices of the chosen values; the last ones stay until these are there. */
  async make() {
    const parameter = this.#parameter.value, values = this.#values.value.trim(), two = this.#isOfTwo, { settings } = this.#frame;
    const rows = (two ? [this.#row, this.#lower] : [this.#row]).map((field) => Number(field.value));
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController()), number = this.#number;
    await settings.saved();
    const made = { parameter, values, rows, two, settings: settings.values };
    try {
      let facts = null;
      for (const [i, row] of rows.entries()) {
        this.state.working(`Slices of row ${row}`, { cancel: true });
        const stack = await samples("POST", `datasets/${number}/axis/sweep`, { json: { parameter, values, row, two, settings: made.settings, tab: TAB }, signal });
        if (number !== this.#number) return;
        facts = JSON.parse(stack.headers.get("X-Facts"));
        this.#mosaics[i].show(facts.values.map(String), stack, facts.unit, parameter);
        this.#mosaics[i].element.classList.toggle("in-line", rows.length > 1);
        this.#picked[i] = null;
      }
      this.#made = made;
      this.#tellTilt();
      this.state.done(`${facts.values.length} slices of row ${facts.row}${facts.sharpest === null ? "" : `, the sharpest at ${Number(facts.sharpest.toPrecision(6))} px`}`
        + `${facts.columns === null ? "" : `; their middle ${facts.columns} columns`}. A click takes a value`);
      this.#tellAge();
    } catch (error) {
      if (signal.aborted) {
        if (signal === this.#asking.signal) this.state.done();
      } else this.state.failed(error.message);
    }
  }

  async #pick(number, value) {
    const { parameter, rows, two } = this.#made, { settings } = this.#frame;
    if (parameter === "axis" && two) {
      this.#picked[number] = { row: rows[number], axis: Number(value) };
      this.#tellTilt();
      return;
    }
    await (parameter === "axis" ? settings.takeAxis(Number(value)) : settings.set(parameter, value));
    this.state.done(`${parameter} is ${value}`);
    this.#tellAge();
  }

  /** Says that the slices were made with other settings than those that count now. */
  #tellAge() {
    if (!this.#made || !["done", "stale"].includes(this.state.state)) return;
    const { parameter, rows, settings } = this.#made;
    const isOld = namesOf(settings, this.#frame.settings.values).some((name) => {
      const ofAxis = parameter === "axis" && (name === "axis" || name === "axis-index" || this.#about.get(name).section === "axis");
      return name !== parameter && !ofAxis && this.#about.get(name).for_slice && this.#about.get(name).section !== "machine";
    });
    if (isOld) this.state.stale("The slices are older than the settings.");
    else if (this.state.state === "stale") this.state.done(`Slices of row ${rows[0]}. A click takes a value`);
  }

  async #tellTilt() {
    const [upper, lower] = this.#picked, isWhole = Boolean(upper && lower) && upper.row !== lower.row;
    this.#takeBoth.disabled = true;
    this.#tilt.textContent = this.#isOfTwo && !isWhole ? "Choose one above and one below" : "";
    if (!isWhole) return;
    this.#found = await post(`datasets/${this.#number}/axis/tilt`, { upper, lower });
    this.#tilt.textContent = `tilt ${this.#found.tilt.toFixed(2)}°`;
    this.#takeBoth.disabled = false;
  }

  #found = null;

  async #takeTilt() {
    const { axis, tilt } = this.#found;
    await this.#frame.settings.takeAxis(axis, { roll: tilt });
    this.state.done(`axis is ${axis.toFixed(2)}, roll ${tilt.toFixed(2)}°`);
  }

  #arrange() {
    const isTwo = this.#isOfTwo, facts = this.#frame.dataset?.facts;
    this.#twoLabel.hidden = this.#parameter.value !== "axis";
    this.#lower.hidden = this.#mosaics[1].element.hidden = this.#takeBoth.hidden = !isTwo;
    if (isTwo && facts && (Number(this.#row.value) >= Number(this.#lower.value) || Number(this.#row.value) === Math.floor((facts.height - 1) / 2))) {
      this.#row.value = Math.floor(facts.height / 8);
    }
    this.#tellTilt();
  }

  /** Values around the one that counts now, unless somebody types others meanwhile. */
  async #propose() {
    const parameter = this.#parameter.value, at = parameter === "axis" ? Math.round(axisOrMiddle(this.#frame) * 100) / 100 : null, before = this.#values.value;
    const { values } = await get("axis/proposal", { query: { parameter, at } });
    if (parameter !== this.#parameter.value) return; // another one was chosen meanwhile
    this.#proposed = values;
    if (this.#values.value === before) this.#values.value = values;
    this.#finer.hidden = this.#wider.hidden = !this.#proposed.includes(":");
    this.#arrange();
  }

  #change(names) {
    if (this.#number === null || this.#frame.dataset?.id !== this.#number || !this.#about) return;
    this.#tellAge();
    if (names.some((name) => name === "axis" || name === "axis-index") && this.#parameter.value === "axis" && this.#values.value === this.#proposed) this.#propose();
  }

  /** The same number of values around the chosen one, closer together or further apart. */
  async #scale(factor) {
    const parameter = this.#parameter.value, { values } = this.#frame.settings;
    const at = parameter === "axis" && ("axis" in values || "axis-index" in values) ? axisOrMiddle(this.#frame) : values[parameter];
    try {
      this.#values.value = (await get("axis/proposal", { query: { parameter, at, of: this.#values.value, factor } })).values;
    } catch (error) {
      this.state.failed(error.message);
      return;
    }
    await this.make();
  }
}
