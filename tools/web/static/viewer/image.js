// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A view of one image, or of two over each other.

import { element } from "../parts/dom.js";
import { device, Samples } from "./gl.js";
import { Histogram } from "./histogram.js";
import { cornerText, dragged, percentiles, sample, textOf, TOLD, wide } from "./levels.js";
import { NAMES, table, tinted } from "./maps.js";
import { MARK, paintBar } from "./scalebar.js";
import { paintText, Surface } from "./surface.js";
import { tiff } from "./tiff.js";

export { NAMES as MAPS } from "./maps.js";

const half = (i) => Math.floor(i / 2), grey = (shade) => [shade, shade, shade];

// Colours of the first image and of the second one, which are added to each other.
const MODES = {
  "red-cyan": [tinted((i) => [0, i, i]), tinted((i) => [i, 0, 0])], // white where both agree
  difference: [tinted((i) => grey(half(i))), tinted((i) => grey(127 - half(i)))], // middle grey where both agree
  sum: [tinted((i) => grey(half(i))), tinted((i) => grey(half(i)))],
};

/**
 * An image with window and level, histogram, read-out and scale bar. What hands and keys do: see keys.js, "?" lists it.
 *
 *   const view = new ImageView(container, { label: "Slice" });
 *   view.show({ data, width, height, pixelSize }, { fit: true });
 *
 * Events are those of Surface, where "pointer" has {x, y, value}, and "levels" with detail [low, high]. The container is a flex or
 * grid item, or has a height: the view fills it.
 */
export class ImageView extends Surface {
  #image = null;
  #second = null;
  #parts = [];
  #options = {};
  #overlay = null;
  #some = new Float64Array();
  #levels = [0, 1];
  #automatic = true;
  #told = "";
  #map = "grey";
  #barEnds = 0;
  #pointer = null;
  #caption = "";
  #from = null;

  constructor(container, { label = "Image", histogram = false, readout = false, scaleBar = true, corner = true } = {}) {
    const frame = element("div", { class: "viewer" });
    container.append(frame);
    super(frame, label);
    this.whole = frame;
    this.#options = { scaleBar, corner };
    this.add({ paint: (context) => this.#paintFacts(context) });
    this.add({ paint: (context) => this.#paintCursor(context), screenOnly: true });
    if (histogram || readout) this.#addFoot(frame, histogram, readout);
    this.addEventListener("window", ({ detail }) => this.#dragWindow(detail));
    this.addEventListener("automatic", () => this.autoLevels());
    this.addEventListener("pointer", (event) => this.#point(event), { capture: true });
  }

  #addFoot(frame, histogram, readout) {
    const foot = element("div", { class: "viewer-foot" });
    frame.append(foot);
    if (histogram) {
      this.histogram = new Histogram(foot);
      this.histogram.addEventListener("levels", ({ detail }) => this.setLevels(...detail));
      this.histogram.addEventListener("automatic", () => this.autoLevels());
    }
    if (readout) foot.append((this.readout = element("output", { class: "viewer-readout", "aria-live": "off" })));
  }

  close() {
    this.histogram?.close();
    super.close();
    this.whole.remove();
  }

  // Images

  /**
   * Shows {data, width, height, pixelSize?, step?}; null shows none. `fit` shows all of it, else the view stays unless the size
   * is another one; `levels` [low, high], else they stay, or are the percentiles of this image where they are automatic. NaN has
   * the first colour. `step`: a number or [x, y]: how far samples lie apart, where an image of a quarter of the size stands
   * for the large one, whose `size` [columns, rows] may be less than all steps.
   */
  show(image, { fit = false, levels = null } = {}) {
    this.#setImage(image);
    this.#changed(fit, levels, image ? [this.#image] : []);
  }

  #setImage(image) {
    for (const old of [this.#image, this.#second, ...this.#parts.map((part) => part.samples)]) if (old) device().forget(old);
    this.#second = this.#overlay = null;
    this.#parts = [];
    this.note = "";
    this.#image = image && new Samples(image.data, image.width, image.height);
    this.step = Array.isArray(image?.step) ? image.step : [image?.step ?? 1, image?.step ?? 1];
    if (image) this.pixelSize = image.pixelSize ?? null;
    const [columns, rows] = image?.size ?? [image?.width * this.step[0], image?.height * this.step[1]];
    this.extent = image ? [0, 0, columns, rows] : null;
  }

  /**
   * Shows two images over each other. mode: "red-cyan" (a is cyan, b red, white where they agree), "difference" or "sum";
   * shift: where b begins, x or [x, y], in parts of samples too: it is drawn at another place, no sample changes; mirrored: b is
   * swapped left to right within its place.
   */
  overlay(a, b, { mode = "red-cyan", shift = 0, mirrored = false, fit = false, levels = null } = {}) {
    if (!(mode in MODES)) throw new RangeError(`'${mode}' is no way to show two images; wanted one of ${Object.keys(MODES).join(", ")}`);
    this.#setImage(a);
    this.#second = new Samples(b.data, b.width, b.height);
    this.#overlay = { mode, shift: Array.isArray(shift) ? shift : [shift, 0], mirrored };
    this.#changed(fit, levels, [this.#image, this.#second]);
  }

  /** Changes mode, shift or mirrored of an overlay. */
  setOverlay({ mode = this.#overlay.mode, shift = this.#overlay.shift, mirrored = this.#overlay.mirrored }) {
    this.#overlay = { mode, shift: Array.isArray(shift) ? shift : [shift, 0], mirrored };
    this.#update();
  }

  /**
   * Shows an image that comes in parts: {samples, x, y, step, core} as gl.js draws them, the coarsest first. `some` are values for
   * levels and histogram, in their order of size.
   */
  showParts(parts, { width, height, pixelSize = null, some = null, fit = false, levels = null }) {
    const gone = this.#parts.filter((old) => !parts.some((part) => part.samples === old.samples));
    for (const { samples } of gone) device().forget(samples);
    this.#parts = [];
    if (this.#image) this.#setImage(null);
    this.#parts = parts;
    this.note = "";
    this.pixelSize = pixelSize;
    this.extent = [0, 0, width, height];
    if (some) this.#some = some;
    this.#changed(fit, levels, null, some);
  }

  #changed(fit, levels, images, isNew = images) {
    if (images) this.#some = merged(images.map((one) => sample(one, 131072 / images.length)));
    if (levels) this.setLevels(...levels);
    else if (this.#automatic && isNew) this.#apply(...percentiles(this.#some));
    if (isNew) this.histogram?.setValues(this.#some);
    if (this.histogram) this.histogram.levels = this.#levels;
    const isOther = this.extent && String(this.extent) !== String(this.area);
    if (isOther) this.area = this.extent;
    if (fit || (isOther && !this.isFitted && !this.#isSeen())) this.fit();
    this.#update();
    this.#tellReadout();
  }

  #isSeen() {
    const [left, top, right, bottom] = this.seen, [x0, y0, x1, y1] = this.extent;
    return left < x1 && right > x0 && top < y1 && bottom > y0;
  }

  /** What gl.js draws. */
  #update() {
    const [levels, step] = [this.#levels, this.step];
    if (!this.extent) this.images = [];
    else if (this.#overlay) {
      const { mode, shift: [x, y], mirrored } = this.#overlay, [first, second] = MODES[mode];
      this.images = [{ samples: this.#image, step, levels, table: first, added: true },
                     { samples: this.#second, step, levels, table: second, added: true, x, y, mirrored }];
    } else if (this.#image) this.images = [{ samples: this.#image, step, levels, table: table(this.#map), core: null }];
    else this.images = this.#parts.map((part) => ({ ...part, levels, table: table(this.#map) }));
    this.redraw();
  }

  /** The sample at a position, or undefined. */
  valueAt(x, y) {
    if (this.#image) return this.#image.at(Math.floor(x / this.step[0]), Math.floor(y / this.step[1]));
    for (const { samples, x: left = 0, y: top = 0, step = 1, core } of [...this.#parts].reverse()) {
      const [right, down] = Array.isArray(step) ? step : [step, step];
      if (core && !(x >= core[0] && y >= core[1] && x < core[2] && y < core[3])) continue;
      const value = samples.at(Math.floor((x - left) / right), Math.floor((y - top) / down));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** The image that is shown, or null. */
  get image() {
    return this.#image;
  }

  // Window and level

  /** Values that are black and white. */
  get levels() {
    return [...this.#levels];
  }

  get isAutomatic() {
    return this.#automatic;
  }

  /** What the levels are, for the corner of the picture. */
  get told() {
    return this.#automatic ? TOLD : this.#told;
  }

  /** Ends automatic levels. The corner says `told` of them. */
  setLevels(low, high, told = "") {
    if (!Number.isFinite(low) || !Number.isFinite(high)) throw new RangeError(`levels ${low} and ${high} came; wanted finite values`);
    this.#automatic = false;
    this.#told = told;
    this.#apply(low, high);
  }

  /** 0.5 and 99.5 % of the values of this image, and of each one that comes. */
  autoLevels() {
    this.#automatic = true;
    this.#apply(...percentiles(this.#some));
  }

  #apply(low, high) {
    const levels = wide(low, high), isOther = String(levels) !== String(this.#levels);
    this.#levels = levels;
    if (this.histogram) this.histogram.levels = levels;
    this.#update();
    if (isOther) this.dispatchEvent(new CustomEvent("levels", { detail: this.levels }));
  }

  #dragWindow({ right, down, begins, byKey }) {
    if (begins) this.#from = this.levels;
    else {
      this.setLevels(...dragged(byKey ? this.levels : this.#from, right, down));
      if (byKey) this.say(`black ${textOf(this.#levels[0])}, white ${textOf(this.#levels[1])}`);
    }
  }

  /** Name of a colour map of maps.js. */
  get map() {
    return this.#map;
  }

  set map(name) {
    if (this.histogram) this.histogram.colours = table(name);
    else table(name);
    this.#map = name;
    this.#update();
  }

  static get maps() {
    return NAMES;
  }

  /** A few words in the upper left corner. */
  get caption() {
    return this.#caption;
  }

  set caption(text) {
    this.#caption = text;
    this.redraw();
  }

  /** Shows no image, and a note in its place. */
  clear(note = "") {
    this.show(null);
    this.note = note;
  }

  // Over the image

  #paintFacts(context) {
    if (!this.extent) return;
    const [width, height] = this.size;
    this.#barEnds = this.#options.scaleBar ? paintBar(context, { scale: this.scale, pixelSize: this.pixelSize, width, height }) : 0;
    context.font = "12px system-ui, sans-serif";
    let levels = this.#levels, told = this.told;
    if (this.#overlay?.mode === "difference") [levels, told] = [[levels[0] - levels[1], levels[1] - levels[0]], ""];
    const text = cornerText(levels, this.density, told), wide = context.measureText(text).width + 12;
    if (this.#options.corner && this.#barEnds + wide + 8 <= width) paintText(context, text, width - wide, height - 25); // a part of it would mislead
    if (this.#caption) paintText(context, this.#caption, 12, 10);
  }

  #paintCursor(context) {
    if (!this.cursor) return;
    const [x, y] = this.toPixel(...this.cursor), side = Math.max(4, this.scale / 2);
    for (const [colour, line] of [["#000", 4], [MARK, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.strokeRect(x - side, y - side, 2 * side, 2 * side);
    }
  }

  // Position and value

  #point(event) {
    const at = event.detail;
    this.#pointer = at;
    if (at) at.value = this.valueAt(at.x, at.y);
    this.#tellReadout();
    if (at && this.cursor && at.x === this.cursor[0] && at.y === this.cursor[1]) {
      this.say(`column ${Math.floor(at.x)}, row ${Math.floor(at.y)}, value ${this.#valueText(at.value)}`);
    }
  }

  #valueText(value) {
    return textOf(value, 5, !(this.#image ?? this.#parts[0]?.samples)?.isFloat);
  }

  #tellReadout() {
    if (!this.readout) return;
    const at = this.#pointer, value = at ? this.valueAt(at.x, at.y) : undefined, [, , right, bottom] = this.extent ?? [0, 0, 0, 0];
    const digits = Math.max(String(Math.floor(Math.max(right, bottom))).length, 4);
    const number = (position) => (value === undefined ? "-" : String(Math.floor(position))).padStart(digits);
    this.readout.textContent = `column ${number(at?.x)}  row ${number(at?.y)}  value ${this.#valueText(value).padEnd(11)}`;
  }

  // Export

  /** The values that are shown, as a TIFF with its pixel size: a Blob. */
  values() {
    if (!this.#image) throw new Error("there is no image to save");
    return tiff(this.#image, this.pixelSize && this.pixelSize * this.step[0]);
  }
}

function merged(some) {
  if (some.length === 1) return some[0];
  const all = new Float64Array(some.reduce((sum, one) => sum + one.length, 0));
  some.reduce((at, one) => (all.set(one, at), at + one.length), 0);
  return all.sort();
}
