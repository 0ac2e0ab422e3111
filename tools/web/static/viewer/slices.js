// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Three planes through a volume, with one crosshair and one window.

import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";
import { COLOURS, Crosshair, Length } from "./crosshair.js";
import { Histogram } from "./histogram.js";
import { setKeys } from "./keys.js";
import { textOf, TOLD } from "./levels.js";
import { table } from "./maps.js";
import { PlaneView } from "./plane.js";
import { Choice, mapSelect, save, Slider, Toggle } from "./tools.js";

const NAMES = ["z", "y", "x"];
const FRAMES = 12; // planes a second while they are played

/**
 * Events: "levels" (detail [low, high]), "position" (detail [z, y, x]), "failed" (detail: an Error), "said" (detail: a text about what was
 * measured).
 */
export class SliceView extends EventTarget {
  #source = null;
  #position = [0, 0, 0];
  #mode = "three";
  #playing = 0;
  #levels = null; // of the whole volume
  #quiet = false;

  constructor(container, { bar = [] } = {}) {
    super();
    this.readout = element("output", { class: "viewer-readout", "aria-live": "off" });
    this.facts = element("p", { class: "viewer-facts" });
    this.grid = element("div", { class: "viewer-slices" });
    this.planes = NAMES.map((name, axis) => this.#makePlane(name, axis));
    const info = element("div", { class: "viewer-info" }, this.facts, this.readout);
    this.histogram = new Histogram(info);
    this.grid.insertBefore(info, this.grid.children[1]);
    this.element = element("div", { class: "viewer-page" }, this.#makeBar(bar), this.grid);
    container.append(this.element);
    this.histogram.addEventListener("levels", ({ detail }) => this.setLevels(...detail));
    this.histogram.addEventListener("automatic", () => this.autoLevels());
    this.mode = matchMedia("(max-width: 767.98px)").matches ? "z" : "three";
    this.#tellReadout(null);
  }

  #makePlane(name, axis) {
    const others = NAMES.filter((_, i) => i !== axis), pane = element("div", { class: "viewer-pane" });
    this.grid.append(pane);
    const plane = new PlaneView(pane, axis, { label: `Slice across ${name}` });
    const [rows, columns] = [0, 1, 2].filter((i) => i !== axis);
    plane.slider = new Slider(name, (index) => (plane.index = index), { title: `Slice along ${name}` });
    plane.pane = pane;
    pane.append(plane.slider.element);
    plane.cross = plane.add(new Crosshair(plane, () => this.#source && [this.#position[columns] + 0.5, this.#position[rows] + 0.5],
      (x, y) => this.#moveTo(axis, x, y), [COLOURS[columns], COLOURS[rows]]));
    plane.measure = plane.add(new Length(plane, (text) => this.dispatchEvent(new CustomEvent("said", { detail: text && `Length ${text}` }))));
    setKeys(plane.canvas, [["Click; drag the lines", `crosshair: planes across ${others.join(" and ")} through this place`],
      ["Length: drag; Enter at the cursor, twice", "measures; Shift keeps it straight, Delete takes it away"]]);
    plane.addEventListener("index", () => this.#take(axis, plane.index));
    plane.addEventListener("pick", ({ detail: { x, y } }) => (plane.measure.visible ? plane.measure.put([x, y]) : this.#moveTo(axis, x, y)));
    plane.addEventListener("pointer", ({ detail }) => this.#point(plane, detail));
    plane.addEventListener("levels", ({ detail }) => this.#shareLevels(plane, detail));
    plane.addEventListener("failed", ({ detail }) => this.dispatchEvent(new CustomEvent("failed", { detail })));
    return plane;
  }

  #makeBar(more) {
    this.modes = new Choice("Planes", { three: ["Three", "All three planes"], z: ["z", "The plane across z"], y: ["y", "The plane across y"],
                                        x: ["x", "The plane across x"] }, (name) => (this.mode = name));
    this.tools = new Choice("Tool", { move: ["Move", "Drag moves the picture"],
                                      length: ["Length", "Drag measures a length; Shift keeps it straight, Delete takes it away"] }, (name) => this.#setTool(name));
    this.play = new Toggle("Play", (isOn) => (isOn ? this.#play() : this.stop()), { title: "One slice after the other" });
    this.maps = mapSelect((name) => (this.map = name));
    return element("div", { class: "toolbar" }, this.modes.element, this.tools.element, this.maps,
      button("Auto", () => this.autoLevels(), { title: "Black and white from 0.5 to 99.5 % of the values" }),
      button("Fit", () => this.planes.forEach((plane) => plane.fit()), { title: "All of the slice (double click, 0)" }),
      button("1 : 1", () => this.planes.forEach((plane) => plane.showSamples()), { title: "A sample is a pixel (1)" }),
      this.play.element, button("Save PNG", () => this.savePicture(), { title: "The picture as it is seen, with scale bar" }), ...more);
  }

  close() {
    this.stop();
    for (const plane of this.planes) plane.close();
    this.histogram.close();
    this.element.remove();
  }

  // The volume

  /** Shows a Source, or none. Place and window stay where it has the shape of the last one. */
  async setSource(source, facts = []) {
    this.stop();
    const isSame = source && this.#source && String(source.shape) === String(this.#source.shape);
    this.#source = source;
    this.#levels = null;
    this.facts.replaceChildren(...facts.flatMap((line) => [line, element("br")]));
    if (!isSame) this.#position = source ? source.shape.map((size) => Math.floor(size / 2)) : [0, 0, 0];
    for (const [axis, plane] of this.planes.entries()) {
      plane.setSource(source, { index: this.#position[axis] });
      plane.slider.most = source ? source.shape[axis] - 1 : 0;
      plane.slider.value = this.#position[axis];
      plane.measure.ends = null;
    }
    this.#tellReadout(null);
    if (source) await this.#takeValues(source, isSame);
  }

  async #takeValues(source, keepLevels) {
    try {
      const { levels, counts, span } = await source.values();
      if (source !== this.#source) return;
      this.#levels = levels;
      for (const plane of this.planes) plane.automatic = levels;
      this.histogram.setCounts(counts, span);
      if (!keepLevels) this.autoLevels();
    } catch (error) {
      if (source === this.#source) this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  get source() {
    return this.#source;
  }

  /** Which sample the three planes go through: [z, y, x]. */
  get position() {
    return [...this.#position];
  }

  set position(position) {
    position.forEach((index, axis) => (this.planes[axis].index = index));
  }

  #moveTo(axis, x, y) {
    const [rows, columns] = [0, 1, 2].filter((i) => i !== axis);
    this.planes[columns].index = Math.floor(x);
    this.planes[rows].index = Math.floor(y);
  }

  #take(axis, index) {
    this.#position[axis] = index;
    this.planes[axis].slider.value = index;
    for (const plane of this.planes) plane.redraw();
    this.dispatchEvent(new CustomEvent("position", { detail: this.position }));
  }

  // What is seen of it

  get mode() {
    return this.#mode;
  }

  /** "three", or one of z, y and x. */
  set mode(mode) {
    this.#mode = mode;
    this.modes.mark(mode);
    this.grid.dataset.mode = mode;
    this.planes.forEach((plane, axis) => {
      plane.pane.hidden = mode !== "three" && mode !== NAMES[axis];
      plane.cross.visible = mode === "three";
      plane.redraw();
    });
  }

  /** The plane that is seen alone, or that was clicked into last. */
  get active() {
    const alone = NAMES.indexOf(this.#mode);
    return this.planes[alone] ?? this.planes.find((plane) => plane.canvas === document.activeElement) ?? this.planes[0];
  }

  set map(name) {
    this.maps.value = name;
    this.histogram.colours = table(name);
    for (const plane of this.planes) plane.map = name;
  }

  get map() {
    return this.planes[0].map;
  }

  get levels() {
    return this.planes[0].levels;
  }

  setLevels(low, high, told = "") {
    this.#quiet = true;
    for (const plane of this.planes) plane.setLevels(low, high, told);
    this.#quiet = false;
    this.histogram.levels = this.levels;
    this.dispatchEvent(new CustomEvent("levels", { detail: this.levels }));
  }

  autoLevels() {
    if (this.#levels) this.setLevels(...this.#levels, TOLD);
  }

  #shareLevels(plane, levels) {
    if (!this.#quiet && this.#levels) this.setLevels(...levels, plane.told);
  }

  #setTool(name) {
    for (const plane of this.planes) {
      plane.measure.visible = name === "length";
      if (name !== "length") plane.measure.clear();
    }
  }

  #point(plane, at) {
    if (!at || at.value === undefined) return this.#tellReadout(null);
    const place = [0, 0, 0], [rows, columns] = [0, 1, 2].filter((i) => i !== plane.axis);
    [place[plane.axis], place[columns], place[rows]] = [plane.index, Math.floor(at.x), Math.floor(at.y)];
    this.#tellReadout(place, (plane.isExact ? "" : "~") + textOf(at.value, 5, !this.#source.isFloat));
  }

  /** A line that does not jump. ~ before a value: a mean of several samples, until the finest picture is there. */
  #tellReadout(place, value = "-") {
    const digits = Math.max(4, String(Math.max(...(this.#source?.shape ?? [0]))).length);
    const numbers = NAMES.map((name, axis) => `${name} ${(place ? String(place[axis]) : "-").padStart(digits)}`).reverse();
    this.readout.textContent = `${numbers.join("  ")}  value ${value.padEnd(11)}`;
  }

  // Playing, saving

  async #play() {
    const number = ++this.#playing, plane = this.active;
    while (this.#playing === number && this.#source) {
      plane.index = plane.index + 1 < plane.depth ? plane.index + 1 : 0;
      await new Promise((done) => setTimeout(done, 1000 / FRAMES));
      while (this.#playing === number && Number(plane.frame.dataset.index) !== plane.index) await new Promise((done) => setTimeout(done, 20));
    }
  }

  stop() {
    this.#playing++;
    this.play.value = false;
  }

  /** Name of the file without its suffix, for what is saved. */
  name = "slice";

  async savePicture() {
    if (!this.#source) return;
    const plane = this.active;
    save(await plane.picture(), `${this.name}-${NAMES[plane.axis]}${plane.index}.png`);
  }
}
