// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The same plane of two volumes: side by side, or in turns at one place.

import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";
import { Histogram } from "./histogram.js";
import { setKeys } from "./keys.js";
import { textOf, TOLD } from "./levels.js";
import { table } from "./maps.js";
import { PlaneView } from "./plane.js";
import { Choice, mapSelect, save, Slider, Toggle } from "./tools.js";

const NAMES = ["z", "y", "x"];
const FLICKER = 700; // ms that each one is shown

/** Events: "failed" (detail: an Error). Space holds and changes while both flicker. */
export class CompareView extends EventTarget {
  #sources = [null, null];
  #axis = 0;
  #index = 0;
  #timer = 0;
  #shown = 0; // which one is seen while they flicker
  #levels = [null, null]; // of the whole volumes
  #busy = false; // one follows the other
  name = "compare";

  constructor(container) {
    super();
    this.readout = element("output", { class: "viewer-readout", "aria-live": "off" });
    this.slider = new Slider("z", (index) => (this.index = index), { title: "Slice" });
    this.pair = element("div", { class: "viewer-pair", "data-mode": "side" });
    this.foot = element("div", { class: "viewer-foot" }, this.slider.element);
    this.element = element("div", { class: "viewer-page" }, this.#makeBar(), this.pair, this.foot);
    this.histograms = ["A", "B"].map((name) => this.#makeHistogram(name));
    this.foot.append(this.readout);
    container.append(this.element);
    this.#makePlanes();
    this.#point(null);
  }

  #makeBar() {
    this.ways = new Choice("Way to compare", { side: ["Side by side", "Both at once"], flicker: ["Flicker", "Both in turns at one place; Space holds and changes"] },
      (name) => (this.way = name));
    this.axes = new Choice("Planes", { z: ["z", "Across z"], y: ["y", "Across y"], x: ["x", "Across x"] }, (name) => (this.axis = NAMES.indexOf(name)));
    this.own = new Toggle("Own levels", () => this.autoLevels(), { title: "Each has its own black and white, else both have those of A" });
    this.maps = mapSelect((name) => (this.map = name));
    return element("div", { class: "toolbar" }, this.ways.element, this.axes.element, this.own.element, this.maps,
      button("Auto", () => this.autoLevels(), { title: "Black and white from 0.5 to 99.5 % of the values" }),
      button("Fit", () => this.planes[0].fit(), { title: "All of the slice (double click, 0)" }),
      button("Save PNG", () => this.savePicture(), { title: "The picture as it is seen" }));
  }

  #makeHistogram(name) {
    const histogram = new Histogram(this.foot), number = name === "A" ? 0 : 1;
    histogram.canvas.setAttribute("aria-label", `Window of ${name}: black and white`);
    histogram.addEventListener("levels", ({ detail }) => this.#setLevels(number, ...detail));
    histogram.addEventListener("automatic", () => this.autoLevels());
    return histogram;
  }

  #makePlanes() {
    const map = this.planes?.[0].map ?? "grey";
    for (const plane of this.planes ?? []) plane.close();
    this.panes = ["A", "B"].map((name) => element("div", { class: "viewer-pane" }));
    this.pair.replaceChildren(...this.panes);
    this.planes = ["A", "B"].map((name, i) => {
      const plane = new PlaneView(this.panes[i], this.#axis, { label: `${name}, slice across ${NAMES[this.#axis]}` });
      plane.map = map;
      setKeys(plane.canvas, [["Space", "holds, and shows the other one (Flicker)"]]);
      plane.addEventListener("moved", () => this.#follow(i));
      plane.addEventListener("index", () => (this.index = plane.index));
      plane.addEventListener("levels", ({ detail }) => this.#levels[0] && this.#setLevels(i, ...detail));
      plane.addEventListener("pointer", ({ detail }) => this.#point(detail));
      plane.addEventListener("failed", ({ detail }) => this.dispatchEvent(new CustomEvent("failed", { detail })));
      plane.canvas.addEventListener("keydown", (event) => this.#key(event));
      return plane;
    });
    this.#showOne();
  }

  close() {
    clearInterval(this.#timer);
    for (const part of [...this.planes, ...this.histograms]) part.close();
    this.element.remove();
  }

  // What is compared

  /** Two Sources, and names for them. */
  async setSources(sources, names = ["A", "B"]) {
    this.#sources = sources;
    this.#levels = [null, null];
    this.#index = Math.floor(sources[0].shape[this.#axis] / 2);
    names.forEach((name, i) => (this.planes[i].caption = `${"AB"[i]}: ${name}`));
    this.names = names;
    this.#fill();
    try {
      const values = await Promise.all(sources.map((source) => source.values()));
      if (this.#sources !== sources) return;
      this.#levels = values.map((one) => one.levels);
      values.forEach(({ counts, span }, i) => this.histograms[i].setCounts(counts, span));
      this.autoLevels();
    } catch (error) {
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  #fill() {
    this.#busy = true;
    this.planes.forEach((plane, i) => plane.setSource(this.#sources[i], { index: this.#index }));
    this.#busy = false;
    this.slider.most = Math.max(...this.#sources.map((source) => source.shape[this.#axis])) - 1;
    this.slider.value = this.#index;
    this.slider.element.firstChild.textContent = NAMES[this.#axis];
  }

  get index() {
    return this.#index;
  }

  set index(index) {
    if (this.#busy) return;
    this.#busy = true;
    this.#index = index;
    for (const plane of this.planes) plane.index = index;
    this.slider.value = index;
    this.#busy = false;
  }

  set axis(axis) {
    this.#axis = axis;
    this.axes.mark(NAMES[axis]);
    this.#makePlanes();
    if (!this.#sources[0]) return;
    this.#index = Math.floor(this.#sources[0].shape[axis] / 2);
    this.names.forEach((name, i) => (this.planes[i].caption = `${"AB"[i]}: ${name}`));
    this.#fill();
    this.autoLevels();
  }

  /** Both show the same place. */
  #follow(i) {
    if (this.#busy) return;
    this.#busy = true;
    this.planes[1 - i].showLike(this.planes[i]);
    this.#busy = false;
  }

  // Windows

  #setLevels(i, low, high, told = "") {
    if (this.#busy) return;
    this.#busy = true;
    for (const which of this.own.value ? [i] : [0, 1]) {
      this.planes[which].setLevels(low, high, told);
      this.histograms[which].levels = [low, high];
    }
    this.#busy = false;
  }

  autoLevels() {
    if (!this.#levels[0]) return;
    if (this.own.value) this.#levels.forEach((levels, i) => this.#setLevels(i, ...levels, TOLD));
    else this.#setLevels(0, ...this.#levels[0], `A: ${TOLD}`);
  }

  set map(name) {
    this.maps.value = name;
    for (const part of this.histograms) part.colours = table(name);
    for (const plane of this.planes) plane.map = name;
  }

  // Ways

  get way() {
    return this.pair.dataset.mode;
  }

  /** "side" or "flicker". */
  set way(way) {
    this.pair.dataset.mode = way;
    this.ways.mark(way);
    clearInterval(this.#timer);
    if (way === "flicker") this.#run();
    this.#showOne();
  }

  #run() {
    this.#timer = setInterval(() => this.#change(), FLICKER);
  }

  #change() {
    this.#shown = 1 - this.#shown;
    this.#showOne();
  }

  /** While both flicker, one lies below the other: it is drawn, too, so that the change takes no time. */
  #showOne() {
    this.panes.forEach((pane, i) => pane.classList.toggle("viewer-below", this.way === "flicker" && i !== this.#shown));
    this.pair.dataset.shown = "AB"[this.#shown];
  }

  #key(event) {
    if (event.key !== " " || this.way !== "flicker") return;
    event.preventDefault();
    clearInterval(this.#timer);
    this.#change();
    this.planes[this.#shown].canvas.focus();
  }

  #point(at) {
    const digits = Math.max(4, String(Math.max(...(this.#sources[0]?.shape ?? [0]))).length);
    const values = this.planes.map((plane) => {
      const value = at && plane.valueAt(at.x, at.y);
      return (value === undefined || value === null ? "-" : (plane.isExact ? "" : "~") + textOf(value, 5, !plane.source.isFloat)).padEnd(11);
    });
    const place = (one) => (at ? String(Math.floor(one)) : "-").padStart(digits);
    this.readout.textContent = `column ${place(at?.x)}  row ${place(at?.y)}  A ${values[0]}  B ${values[1]}`;
  }

  /** Stops what goes on by itself; the place is left. */
  rest() {
    if (this.way === "flicker") this.way = "side";
  }

  async savePicture() {
    const plane = this.planes[this.way === "flicker" ? this.#shown : this.planes[1].canvas === document.activeElement ? 1 : 0];
    if (plane.source) save(await plane.picture(), `${this.name}-${NAMES[this.#axis]}${this.#index}.png`);
  }
}
