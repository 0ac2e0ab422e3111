// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A volume from outside: a small copy of it, turned by hand, cut from six sides.

import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";
import { COLOURS } from "./crosshair.js";
import { Histogram } from "./histogram.js";
import { setKeys, showKeys } from "./keys.js";
import { counts } from "./levels.js";
import { table } from "./maps.js";
import { DISTANCE, extentOf, RayCaster } from "./raycaster.js";
import { Choice, mapSelect, save, Slider, Toggle } from "./tools.js";
import { Transfer } from "./transfer.js";
import { ALONG, IDENTITY, turned, Turning } from "./turning.js";

const COARSE = 128, FINE = 256; // samples of a side
const REST = 120; // ms without a movement before the final picture is drawn
const BEGIN = turned(turned(IDENTITY, 0.6, 0), 0, 0.45), WHOLE = 0.8; // a view and a zoom that show all of it
const KEYS = [["Drag; arrow keys", "turn"], ["Wheel; + and -; two fingers", "zoom"], ["Shift+drag; Shift+arrow keys; two fingers", "move"],
              ["z, y, x", "look along an axis"], ["Double click; 0", "as at the beginning"]];

/** Events: "failed" (detail: an Error), "coming" and "complete" around what takes long. */
export class VolumeView extends EventTarget {
  #source = null;
  #brick = null;
  #waiting = null;
  #matrix = BEGIN;
  #zoom = WHOLE;
  #pan = [0, 0];
  #low = [0, 0, 0];
  #high = [1, 1, 1];
  #timer = 0;
  #frame = 0;
  #changes = 0;
  #levels = [0, 1];
  #sample = new Float64Array();
  name = "volume";

  constructor(container) {
    super();
    this.canvas = element("canvas", { tabindex: 0, role: "application", "aria-roledescription": "picture", "aria-keyshortcuts": "?",
                                      "aria-label": "The volume from outside. Press ? for the keys.", keydown: (event) => {
                                        if (event.key === "?") showKeys(this.canvas);
                                      } });
    this.over = element("canvas", { class: "viewer-over", "aria-hidden": "true" });
    this.note = element("p", { class: "viewer-note", role: "status" });
    this.frame = element("div", { class: "viewer-surface viewer-room" }, this.canvas, this.over, this.note);
    this.side = element("div", { class: "viewer-side" });
    this.element = element("div", { class: "viewer-page" }, this.#makeBar(), element("div", { class: "viewer-volume" }, this.frame, this.side));
    container.append(this.element);
    this.#makeSide();
    setKeys(this.canvas, KEYS, false);
    this.caster = new RayCaster(this.canvas);
    this.note.textContent = this.caster.problem;
    new Turning(this.canvas, this);
    this.sizes = new ResizeObserver(() => this.#resize());
    this.sizes.observe(this.frame);
  }

  #makeBar() {
    this.modes = new Choice("Picture", { maximum: ["Maximum", "The largest value along each ray"],
                                         transfer: ["Transfer function", "Colours, as opaque as the curve says"] }, () => this.#turnMode());
    this.perspective = new Toggle("Parallel", () => this.redraw(), { title: "Without perspective, so that lengths can be compared" });
    this.finer = new Toggle("Finer", () => this.#load(), { title: `A copy of at most ${FINE} samples along each side, instead of ${COARSE}` });
    this.maps = mapSelect(() => this.#recolour());
    return element("div", { class: "toolbar" }, this.modes.element, this.maps,
      ...Object.keys(ALONG).map((axis) => button(axis, () => this.along(axis), { title: `Look along ${axis} (${axis})`, "aria-label": `Look along ${axis}` })),
      button("Reset", () => this.reset(), { title: "As at the beginning (double click, 0)" }), this.perspective.element, this.finer.element,
      button("Save PNG", () => this.savePicture(), { title: "The picture as it is seen" }));
  }

  #makeSide() {
    this.histogram = new Histogram(this.side);
    this.histogram.addEventListener("levels", ({ detail }) => this.setLevels(...detail));
    this.histogram.addEventListener("automatic", () => this.#source?.values().then(({ levels }) => this.setLevels(...levels)));
    this.transfer = new Transfer(this.side);
    this.transfer.addEventListener("change", () => this.redraw());
    this.transfer.frame.hidden = true;
    const percent = (value) => `${value} %`;
    this.cuts = ["x", "y", "z"].map((name, i) => [
      new Slider(`${name} from`, (value) => this.#cut(i, value, null), { title: `Cut along ${name}, from`, most: 100, text: percent }),
      new Slider(`${name} to`, (value) => this.#cut(i, null, value), { title: `Cut along ${name}, to`, most: 100, value: 100, text: percent }),
    ]);
    this.side.append(element("div", { class: "viewer-cuts" }, ...this.cuts.flat().map((slider) => slider.element)),
      button("Whole", () => this.#whole(), { title: "All of the volume again" }));
  }

  close() {
    this.#waiting?.abort();
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.sizes.disconnect();
    this.histogram.close();
    this.transfer.close();
    this.caster.close();
    this.element.remove();
  }

  // The volume

  /** Shows a Source, or none. */
  async setSource(source) {
    if (source === this.#source) return;
    this.#source = source;
    this.#brick = null;
    this.#whole();
    this.finer.value = false;
    await this.#load();
  }

  async #load() {
    this.#waiting?.abort();
    const source = this.#source, { signal } = (this.#waiting = new AbortController());
    if (!source || this.caster.problem) return;
    this.frame.dataset.complete = false;
    this.note.textContent = this.#brick ? "" : "A small copy of the volume is made…";
    this.dispatchEvent(new Event("coming"));
    try {
      const brick = await source.brick(this.finer.value ? FINE : COARSE, signal);
      const { levels, counts: numbers, span } = await source.values();
      if (signal.aborted) return;
      const isNew = !this.#brick;
      this.#brick = { ...brick, sides: [...source.shape].reverse() };
      this.caster.setBrick(this.#brick);
      this.#sample = sampleOf(this.#brick);
      this.histogram.setCounts(numbers, span);
      this.setLevels(...(isNew ? levels : this.#levels));
      this.note.textContent = "";
    } catch (error) {
      if (signal.aborted) return;
      this.note.textContent = error.message;
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  get levels() {
    return [...this.#levels];
  }

  setLevels(low, high) {
    this.#levels = [low, high];
    this.histogram.levels = this.#levels;
    this.#recolour();
  }

  set map(name) {
    this.maps.value = name;
    this.#recolour();
  }

  #recolour() {
    const colours = table(this.maps.value), [low, high] = this.#levels;
    this.histogram.colours = colours;
    this.transfer.setGround(counts(this.#sample, 128, [low, high]), colours);
    this.redraw();
  }

  #turnMode() {
    this.transfer.frame.hidden = this.modes.chosen !== "transfer";
    this.redraw();
  }

  // The view

  turn(right, down) {
    this.#matrix = turned(this.#matrix, right, down);
    this.redraw();
  }

  pan(right, down) {
    const [, half] = extentOf({ width: 1, height: 1, zoom: this.#zoom }), pixel = (2 * half) / Math.max(1, this.frame.clientHeight);
    this.#pan = [this.#pan[0] - right * pixel, this.#pan[1] + down * pixel];
    this.redraw();
  }

  zoomBy(factor) {
    this.#zoom = Math.min(Math.max(this.#zoom * factor, 0.2), 40);
    this.redraw();
  }

  along(axis) {
    this.#matrix = ALONG[axis];
    this.redraw();
  }

  reset() {
    [this.#matrix, this.#zoom, this.#pan] = [BEGIN, WHOLE, [0, 0]];
    this.redraw();
  }

  #cut(axis, low, high) {
    const [from, to] = this.cuts[axis];
    if (low !== null && to.value <= low) to.value = Math.min(100, low + 1);
    if (high !== null && from.value >= high) from.value = Math.max(0, high - 1);
    this.#low[axis] = Math.min(from.value, to.value - 1) / 100;
    this.#high[axis] = Math.max(to.value, from.value + 1) / 100;
    this.redraw();
  }

  #whole() {
    [this.#low, this.#high] = [[0, 0, 0], [1, 1, 1]];
    for (const [from, to] of this.cuts) [from.value, to.value] = [0, 100];
    this.redraw();
  }

  // Drawing

  get #scene() {
    const maximum = this.modes.chosen === "maximum", colours = table(this.maps.value);
    return { turn: this.#matrix, zoom: this.#zoom, pan: this.#pan, perspective: !this.perspective.value, low: this.#low, high: this.#high, maximum,
             levels: this.#levels, table: this.transfer.table(colours) };
  }

  /** A coarse picture now, and the final one when nothing has moved for a while. */
  redraw() {
    if (!this.#brick) return;
    this.#changes++;
    this.frame.dataset.complete = false;
    clearTimeout(this.#timer);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#brick) return;
      this.caster.draw({ ...this.#scene, isFinal: false });
      this.#drawBox();
    });
    this.#timer = setTimeout(() => this.#finish(), REST);
  }

  async #finish() {
    const changes = this.#changes;
    if (!(await this.caster.draw({ ...this.#scene, isFinal: true })) || changes !== this.#changes) return;
    this.frame.dataset.complete = true;
    this.dispatchEvent(new Event("complete"));
  }

  #resize() {
    const ratio = Math.min(window.devicePixelRatio, 2), [width, height] = [this.frame.clientWidth, this.frame.clientHeight];
    if (!width || !height) return;
    for (const canvas of [this.canvas, this.over]) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.redraw();
  }

  /** Edges of the box around what is shown, and the names of the axes. */
  #drawBox() {
    const context = this.over.getContext("2d"), { width, height } = this.over;
    context.clearRect(0, 0, width, height);
    const corner = (i) => [0, 1, 2].map((axis) => (i >> axis & 1 ? this.#high : this.#low)[axis]);
    context.lineWidth = Math.max(1, window.devicePixelRatio);
    context.font = `${12 * window.devicePixelRatio}px system-ui, sans-serif`;
    for (let i = 0; i < 8; i++) {
      for (const axis of [0, 1, 2].filter((one) => !(i >> one & 1))) {
        const [from, to] = [this.#project(corner(i)), this.#project(corner(i | 1 << axis))];
        context.strokeStyle = context.fillStyle = COLOURS[2 - axis];
        context.globalAlpha = i === 0 ? 0.9 : 0.3;
        context.beginPath();
        context.moveTo(...from);
        context.lineTo(...to);
        context.stroke();
        if (i === 0) context.fillText("xyz"[axis], to[0] + 4, to[1] - 4);
      }
    }
  }

  /** Where a position in texture coordinates is on the canvas. */
  #project(place) {
    const { width, height } = this.over, sides = this.caster.sides, m = this.#matrix;
    const at = place.map((one, i) => (one - 0.5) * sides[i] * (i ? -1 : 1));
    const [x, y, z] = [0, 1, 2].map((row) => at.reduce((sum, one, i) => sum + m[3 * row + i] * one, 0));
    const [halfWidth, halfHeight] = extentOf({ width, height, zoom: this.#zoom });
    const nearer = this.perspective.value ? 1 : DISTANCE / (DISTANCE - z);
    return [(((x - this.#pan[0]) * nearer) / halfWidth + 1) * width / 2, (1 - ((y - this.#pan[1]) * nearer) / halfHeight) * height / 2];
  }

  async savePicture() {
    if (!this.#brick) return;
    save(await new Promise((done) => this.canvas.toBlob(done)), `${this.name}.png`);
  }
}

/** Values of some samples of a brick. */
function sampleOf({ data, range: [low, high] }) {
  const step = Math.max(1, Math.floor(data.length / 65536)), made = new Float64Array(Math.floor(data.length / step));
  for (let i = 0; i < made.length; i++) made[i] = low + (data[i * step] / 255) * (high - low);
  return made;
}
