// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// One slice while settings change.

import { samples } from "../api.js";
import { element } from "../parts/dom.js";
import { button, StateLine } from "../parts/states.js";
import { parameters } from "../settings.js";
import { ImageView } from "../viewer/image.js";
import { TAB } from "./axis-facts.js";
import { number } from "./axis-overlay.js";

const PAUSE = 200; // ms without a change until a slice is made
const NOTHING = "There is no slice yet: Preview slice makes one of this row";
const NOT_FOR_YOU = "A viewer makes no slices: ask an administrator for the role user";

/**
 * The picture of the place with the row that it is of. `isTaken` is true while images of a volume are shown in it. Emits "look"
 * where a slice is asked for.
 */
export class SlicePage extends EventTarget {
  isTaken = false;
  #frame;
  #number = null;
  #timer = null;
  #asking = null;
  #isStale = true;
  #row = number("row", { min: 0, value: 0, change: () => this.setRow(Number(this.#row.value)) });
  #slider = element("input", { type: "range", class: "form-range", min: 0, "aria-label": "Row", id: "row-slider", input: () => this.setRow(Number(this.#slider.value)) });
  #automatic = element("input", { type: "checkbox", class: "form-check-input", checked: true, id: "automatic", change: () => this.#automatic.checked && this.#isStale && this.#later() });

  constructor(frame) {
    super();
    this.#frame = frame;
    const isViewer = frame.person.role === "viewer";
    this.#automatic.checked = !isViewer;
    this.#automatic.disabled = isViewer;
    this.state = new StateLine();
    this.state.addEventListener("cancel", () => this.#drop());
    const picture = element("div", { class: "picture" });
    this.element = element("div", { class: "slice-page" }, picture, this.state.element,
      element("div", { class: "toolbar slider" }, element("label", { for: "row" }, "Row"), this.#row, this.#slider,
        element("label", { class: "form-check" }, this.#automatic, " At each change"), button("Preview slice", () => this.look(), { id: "preview", disabled: isViewer })));
    this.view = new ImageView(picture, { label: "Slice", histogram: true, readout: true });
    this.view.addEventListener("step", ({ detail }) => this.setRow(this.row + detail));
    frame.settings.addEventListener("change", ({ detail }) => this.#change(detail.changed));
  }

  get row() {
    return Number(this.#row.value);
  }

  /** The page is seen, with the data set of the frame. */
  show() {
    const { id, facts } = this.#frame.dataset;
    if (this.#number !== id) {
      this.#asking?.abort();
      this.#number = id;
      this.isTaken = false;
      this.view.clear();
      this.view.caption = "";
      this.#row.max = this.#slider.max = facts.height - 1;
      this.#row.value = this.#slider.value = Math.floor((facts.height - 1) / 2);
      this.#isStale = true;
      this.#shownRow = null;
      this.state.empty(this.#frame.person.role === "viewer" ? NOT_FOR_YOU : NOTHING);
    }
    if (this.#isStale && this.#automatic.checked) this.look();
  }

  /** Shows an image of a volume that is made in the same picture. */
  lend(image, caption) {
    if (!this.isTaken && this.state.state === "stale") this.state.done(); // the volume has the settings of now
    this.isTaken = true;
    this.view.show(image, { fit: this.#shownRow === null });
    this.view.caption = caption;
  }

  setRow(row) {
    const most = Number(this.#row.max), next = Math.min(Math.max(Math.round(row) || 0, 0), most);
    this.#slider.value = next;
    if (next === this.row && this.#shownRow === next) return;
    this.#row.value = next;
    this.#mark();
  }

  #shownRow = null;

  async #change(changed) {
    if (this.#number === null || this.#frame.dataset?.id !== this.#number || !changed.length) return;
    const { about } = await parameters();
    if (changed.some((name) => about.get(name)?.for_slice) || this.state.state === "failed") this.#mark();
  }

  /** Another slice is wanted. */
  #mark() {
    this.#isStale = true;
    if (this.#automatic.checked && this.element.checkVisibility()) this.#later();
    else if (this.view.image) this.state.stale();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), PAUSE);
    if (this.view.image && this.state.state === "done") this.state.stale();
  }

  #drop() {
    this.#asking?.abort();
    this.#isStale = true;
    if (this.view.image) this.state.stale();
    else this.state.empty(NOTHING);
  }

  /** Makes the slice of the chosen row by the settings; the last picture stays until it is there. */
  async look() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController()), { settings } = this.#frame, number = this.#number, { row } = this;
    await settings.saved();
    if (signal.aborted) return;
    this.#isStale = this.isTaken = false;
    this.dispatchEvent(new Event("look"));
    const wanted = settings.values;
    this.state.working(`Slice of row ${row}`, { cancel: true });
    try {
      const made = await samples("POST", `datasets/${number}/slice`, { json: { row, settings: wanted, tab: TAB }, signal });
      if (number === this.#number) this.#take(made, row, wanted);
    } catch (error) {
      if (signal.aborted) return;
      this.state.failed(error.message);
      if (error.field && error.field in settings.values) settings.complain(error.field, error.message);
    }
  }

  #take({ data, shape: [height, width], headers }, row, wanted) {
    const facts = JSON.parse(headers.get("X-Facts")), { settings } = this.#frame;
    if (facts["axis-from"] === "found" && settings.found !== facts.axis) settings.know(facts.axis);
    if (this.isTaken) return; // a volume has begun meanwhile
    const pixelSize = facts["pixel-size"] ?? this.#frame.dataset.facts["pixel-size"];
    this.view.show({ data, width, height, pixelSize }, { fit: this.#shownRow === null });
    this.view.caption = `slice of row ${row}`;
    this.#shownRow = row;
    if (this.#isStale || wanted !== settings.values) {
      this.#isStale = true;
      this.state.stale();
      return;
    }
    const axis = typeof facts.axis === "number" ? `, axis ${facts.axis.toFixed(2)} (${facts["axis-from"] ?? "given"})` : "";
    this.state.done(`Row ${row}, ${facts.method}${axis}, ${facts.seconds.toFixed(2)} s${facts.warnings.length ? `. ⚠ ${facts.warnings[0]}` : ""}`);
  }
}
