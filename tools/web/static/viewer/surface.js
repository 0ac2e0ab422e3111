// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A surface that shows images and what lies over them, moved and zoomed by mouse, keys and fingers.

import { element } from "../parts/dom.js";
import { device } from "./gl.js";
import { Hands, MOVES } from "./hands.js";
import { showKeys } from "./keys.js";
import { HALO, ON_SURROUND, SURROUND } from "./scalebar.js";

const SMALLEST = 1 / 256, LARGEST = 128; // pixels per sample
const ZOOM = 1.2; // of a step
const STRIDE = 32; // pixels that a key moves the picture

/**
 * One sample is a square of `scale` pixels. Coordinates are edge coordinates: x counts columns and y rows, sample i lies from i
 * to i + 1. Events:
 *
 *   step     detail: images forward (> 0) or back; Home and End give MOVES.far
 *   pointer  detail: {x, y} under the pointer or the cursor of the keys, or null
 *   pick     detail: {x, y} of a click, or of Enter at the cursor
 *   window   detail: {right, down, begins} pixels of a drag with the right button, or steps by keys
 *   moved    another part is seen
 *
 * Layers lie over the images: objects with paint(context, surface), in pixels of the surface, and where they want them
 * press(at, event), which takes a drag by true, move(at, event), release(at, event), hover(at), a cursor of CSS, and key(event).
 * `screenOnly` ones are left out of pictures that are saved.
 */
export class Surface extends EventTarget {
  layers = [];
  images = []; // as gl.js draws them
  scale = 1;
  note = "";
  #area = [0, 0, 1, 1];
  #origin = [0, 0]; // pixel where (0, 0) lies
  #size = [0, 0];
  #fits = true;
  #waits = 0;
  #cursor = null;
  #said = element("div", { class: "visually-hidden", "aria-live": "polite" });
  #resizes = new ResizeObserver(() => this.#resized());
  #redraws = () => this.redraw();

  constructor(container, label) {
    super();
    this.canvas = element("canvas", { tabindex: 0, role: "application", "aria-roledescription": "picture", "aria-keyshortcuts": "?",
                                      keydown: (event) => this.#key(event) });
    this.label = label;
    this.frame = element("div", { class: "viewer-surface" }, this.canvas, this.#said);
    container.append(this.frame);
    new Hands(this);
    this.#resizes.observe(this.frame);
    device().addEventListener("restored", this.#redraws);
  }

  /** What the picture is, for people who do not see it. */
  set label(text) {
    this.canvas.setAttribute("aria-label", `${text}. Press ? for the keys.`);
  }

  /** Gives everything back; the surface can't be used any more. */
  close() {
    this.#resizes.disconnect();
    device().removeEventListener("restored", this.#redraws);
    for (const { samples } of this.images) device().forget(samples);
    cancelAnimationFrame(this.#waits);
    this.frame.remove();
  }

  add(layer) {
    this.layers.push(layer);
    this.redraw();
    return layer;
  }

  removeLayer(layer) {
    this.layers = this.layers.filter((one) => one !== layer);
    this.redraw();
  }

  // What is shown, and where

  get area() {
    return [...this.#area];
  }

  /** The rectangle [left, top, right, bottom] that fit() makes visible. */
  set area(area) {
    this.#area = area;
    if (this.#fits) this.fit();
  }

  get size() {
    return [...this.#size];
  }

  get isFitted() {
    return this.#fits;
  }

  /** Pixels of the screen per sample. */
  get density() {
    return this.scale * window.devicePixelRatio;
  }

  toPixel(x, y) {
    return [x * this.scale + this.#origin[0], y * this.scale + this.#origin[1]];
  }

  toImage(x, y) {
    return [(x - this.#origin[0]) / this.scale, (y - this.#origin[1]) / this.scale];
  }

  /** The visible part [left, top, right, bottom]; it may reach over the image. */
  get seen() {
    return [...this.toImage(0, 0), ...this.toImage(...this.#size)];
  }

  get centre() {
    const [left, top, right, bottom] = this.#area;
    return this.#size[0] ? this.toImage(this.#size[0] / 2, this.#size[1] / 2) : [(left + right) / 2, (top + bottom) / 2];
  }

  /** Whether the page has room for it now; where it is hidden, it keeps its size and its place. */
  get isShown() {
    return this.frame.clientWidth > 0 && this.frame.clientHeight > 0;
  }

  /** Shows all of the area, as large as it can be. */
  fit() {
    const [left, top, right, bottom] = this.#area;
    const scale = Math.min(this.#size[0] / (right - left), this.#size[1] / (bottom - top), LARGEST);
    this.#moveTo(Math.max(scale, SMALLEST), [(left + right) / 2, (top + bottom) / 2]);
    this.#setFits(true);
  }

  /** One sample as one pixel of the screen. */
  showSamples() {
    this.showPart(1 / window.devicePixelRatio, this.centre);
  }

  /** Zooms to a scale, with a position in the middle. */
  showPart(scale, centre) {
    this.#setFits(false);
    this.#moveTo(Math.min(Math.max(scale, SMALLEST), LARGEST), centre);
  }

  /** The same part at the same scale as another surface. */
  showLike(other) {
    if (other.isFitted) this.fit();
    else this.showPart(other.scale, other.centre);
  }

  /** Larger (> 1) or smaller; the position at a pixel of the surface stays there. */
  zoom(factor, at = [this.#size[0] / 2, this.#size[1] / 2]) {
    const fixed = this.toImage(...at);
    this.#setFits(false);
    this.scale = Math.min(Math.max(this.scale * factor, SMALLEST), LARGEST);
    this.#origin = [at[0] - fixed[0] * this.scale, at[1] - fixed[1] * this.scale];
    this.#tell();
  }

  move(right, down) {
    this.#setFits(false);
    this.#origin = [this.#origin[0] + right, this.#origin[1] + down];
    this.#tell();
  }

  #setFits(fits) {
    this.#fits = fits;
    this.canvas.classList.toggle("viewer-moved", !fits); // a finger moves the page or the picture
  }

  #moveTo(scale, centre) {
    this.scale = scale;
    this.#origin = [this.#size[0] / 2 - centre[0] * scale, this.#size[1] / 2 - centre[1] * scale];
    this.#tell();
  }

  #tell() {
    this.redraw();
    this.dispatchEvent(new Event("moved"));
  }

  #resized() {
    if (!this.isShown) return;
    const centre = this.centre;
    this.#size = [this.frame.clientWidth, this.frame.clientHeight];
    if (this.#fits) this.fit();
    else this.#moveTo(this.scale, centre);
  }

  // Drawing

  redraw() {
    this.#waits ||= requestAnimationFrame(() => this.drawNow());
  }

  /** Draws at once what else the next frame shows. */
  drawNow() {
    cancelAnimationFrame(this.#waits);
    this.#waits = 0;
    const ratio = window.devicePixelRatio, [width, height] = this.#size.map((side) => Math.round(side * ratio));
    if (!width || !height || !this.isShown) return;
    if (device().problem) this.note = device().problem;
    else if (!device().isReady) return; // the last picture stays until the context is back
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.#paint(this.canvas.getContext("2d", { alpha: false }), [width, height], this.#origin.map((at) => Math.round(at * ratio)), this.layers);
    this.frame.dataset.drawn = Number(this.frame.dataset.drawn ?? 0) + 1;
  }

  #paint(context, [width, height], origin, layers) {
    const ratio = window.devicePixelRatio;
    const isDrawn = device().draw(this.images, { width, height, scale: this.scale * ratio, origin, surround: SURROUND });
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (isDrawn) device().copyTo(context, width, height);
    else {
      context.fillStyle = `rgb(${SURROUND.join(" ")})`;
      context.fillRect(0, 0, width, height);
    }
    context.scale(ratio, ratio);
    for (const layer of layers) {
      context.save();
      layer.paint(context, this);
      context.restore();
    }
    if (this.note) paintNote(context, this.note, width / ratio, height / ratio);
  }

  /** What is seen of the image as a PNG: a Blob. */
  async picture() {
    const ratio = window.devicePixelRatio, [left, top, right, bottom] = this.seen, [x0, y0, x1, y1] = this.#area;
    const part = [Math.max(left, x0), Math.max(top, y0), Math.min(right, x1), Math.min(bottom, y1)];
    const size = [part[2] - part[0], part[3] - part[1]].map((side) => Math.max(1, Math.round(side * this.scale)));
    const canvas = element("canvas", { width: Math.round(size[0] * ratio), height: Math.round(size[1] * ratio) });
    const kept = [this.#origin, this.#size];
    this.#origin = [-part[0] * this.scale, -part[1] * this.scale];
    this.#size = size;
    try {
      this.#paint(canvas.getContext("2d"), [canvas.width, canvas.height], this.#origin.map((at) => Math.round(at * ratio)),
                  this.layers.filter((layer) => !layer.screenOnly));
    } finally {
      [this.#origin, this.#size] = kept;
    }
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  // Keys

  /** The position that the keys have chosen, or null. */
  get cursor() {
    return this.#cursor;
  }

  set cursor(at) {
    const [left, top, right, bottom] = this.#area;
    this.#cursor = at && [Math.min(Math.max(at[0], left + 0.5), right - 0.5), Math.min(Math.max(at[1], top + 0.5), bottom - 0.5)];
    this.point(this.#cursor);
    this.redraw();
  }

  /** Tells where the pointer is; null: nowhere. */
  point(at) {
    this.dispatchEvent(new CustomEvent("pointer", { detail: at && { x: at[0], y: at[1] } }));
  }

  /** For people who do not see the picture. */
  say(text) {
    this.#said.textContent = text;
  }

  #key(event) {
    if (this.layers.some((layer) => layer.key?.(event)) || this.#moveByKey(event) || this.#doByKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #moveByKey(event) {
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (event.altKey || event.metaKey) return false;
    if (right !== undefined && event.shiftKey) {
      const from = this.#cursor ?? this.centre.map((at) => Math.floor(at) + 0.5);
      this.cursor = [from[0] + right, from[1] + down];
    } else if (right !== undefined && event.ctrlKey) this.move(-right * STRIDE, -down * STRIDE);
    else if (event.key in MOVES.keys && !event.ctrlKey) this.dispatchEvent(new CustomEvent("step", { detail: MOVES.keys[event.key] }));
    else return false;
    return true;
  }

  #doByKey(event) {
    const window = (right, down) => this.dispatchEvent(new CustomEvent("window", { detail: { right, down, byKey: true } }));
    const does = {
      "+": () => this.zoom(ZOOM), "=": () => this.zoom(ZOOM), "-": () => this.zoom(1 / ZOOM), 0: () => this.fit(), 1: () => this.showSamples(),
      w: () => window(15, 0), W: () => window(-15, 0), l: () => window(0, 15), L: () => window(0, -15),
      a: () => this.dispatchEvent(new Event("automatic")), "?": () => showKeys(this.canvas),
      Enter: () => this.#cursor && this.dispatchEvent(new CustomEvent("pick", { detail: { x: this.#cursor[0], y: this.#cursor[1] } })),
      Escape: () => (this.cursor = null),
    }[event.key];
    if (!does || event.ctrlKey || event.altKey || event.metaKey || (event.key === "Escape" && !this.#cursor)) return false;
    does();
    return true;
  }
}

/** Text on a dark ground, so that it can be read over any picture. */
export function paintText(context, text, x, y) {
  const width = context.measureText(text).width;
  context.fillStyle = HALO;
  context.fillRect(x - 4, y - 2, width + 8, 19);
  context.fillStyle = ON_SURROUND;
  context.textBaseline = "alphabetic";
  context.fillText(text, x, y + 12);
}

function paintNote(context, note, width, height) {
  context.font = "14px system-ui, sans-serif";
  const lines = [""], most = width - 32;
  for (const word of note.split(" ")) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (context.measureText(longer).width <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  context.fillStyle = ON_SURROUND;
  context.textAlign = "center";
  lines.forEach((line, i) => context.fillText(line, width / 2, height / 2 + 20 * (i - (lines.length - 1) / 2)));
  context.textAlign = "start";
}
