// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The transfer function of a volume: how opaque each value is, as a curve through points to drag.

import { element } from "../parts/dom.js";
import { MARK, SURROUND } from "./scalebar.js";

const GRIP = 9;
const STEP = 0.02;
const BINS = 128;

/**
 * From black at the left to white at the right; opaque is above. Drag a point, click beside one for another, double click or Delete
 * takes it away. Keys: arrows move the chosen point, Page Up and Down choose, Insert adds. Emits "change".
 */
export class Transfer extends EventTarget {
  points = [[0, 0], [0.15, 0], [1, 0.6]]; // [shade, height], 0 to 1, from left to right
  #chosen = 2;
  #held = false;
  #counts = new Float64Array(BINS);
  #colours = null;

  constructor(container) {
    super();
    this.canvas = element("canvas", {
      tabindex: 0, role: "slider", "aria-label": "Opacity", "aria-valuemin": 0, "aria-valuemax": 100,
      title: "Drag points; click for another one, double click takes it away", pointerdown: (event) => this.#down(event), pointermove: (event) => this.#move(event),
      pointerup: () => (this.#held = false), pointercancel: () => (this.#held = false), dblclick: () => this.#remove(), keydown: (event) => this.#key(event),
      focus: () => this.redraw(), blur: () => this.redraw() });
    this.frame = element("div", { class: "viewer-histogram" }, this.canvas);
    container.append(this.frame);
    this.sizes = new ResizeObserver(() => this.redraw());
    this.sizes.observe(this.frame);
    this.#tell();
  }

  close() {
    this.sizes.disconnect();
  }

  /** What is behind the curve: counts of samples between black and white, and 256 colours. */
  setGround(counts, colours) {
    this.#counts = counts;
    this.#colours = colours;
    this.redraw();
  }

  /** 256 colours RGBA; opacities are those of a sample. */
  table(colours) {
    const made = new Uint8Array(1024);
    for (let i = 0; i < 256; i++) {
      made.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
      made[4 * i + 3] = Math.round(255 * this.height(i / 255) ** 2); // a sample is one of many along a ray
    }
    return made;
  }

  /** Of the curve above a shade. */
  height(shade) {
    const next = this.points.findIndex(([at]) => at >= shade);
    if (next === 0) return this.points[0][1];
    if (next < 0) return this.points[this.points.length - 1][1];
    const [[x0, y0], [x1, y1]] = [this.points[next - 1], this.points[next]];
    return x1 > x0 ? y0 + ((y1 - y0) * (shade - x0)) / (x1 - x0) : y1;
  }

  #size() {
    return [this.frame.clientWidth, this.frame.clientHeight];
  }

  #toPixel([shade, height]) {
    const [width, high] = this.#size();
    return [GRIP + shade * (width - 2 * GRIP), high - GRIP - height * (high - 2 * GRIP)];
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect(), [width, high] = this.#size();
    const clamped = (value) => Math.min(1, Math.max(0, value));
    return [clamped((event.clientX - box.left - GRIP) / (width - 2 * GRIP)), clamped((high - GRIP - (event.clientY - box.top)) / (high - 2 * GRIP))];
  }

  #down(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.#toPixel(this.#at(event)), grip = event.pointerType === "touch" ? 3 * GRIP : 1.5 * GRIP;
    const near = this.points.findIndex((point) => Math.hypot(...this.#toPixel(point).map((one, i) => one - at[i])) <= grip);
    this.#chosen = near >= 0 ? near : this.#add(this.#at(event));
    this.#held = true;
    this.#change();
  }

  #add(point) {
    const place = this.points.findIndex(([shade]) => shade > point[0]);
    const at = place < 0 ? this.points.length : place;
    this.points.splice(at, 0, point);
    return at;
  }

  #move(event) {
    if (this.#held) this.#put(this.#at(event));
  }

  /** Moves the chosen point, between its neighbours. */
  #put([shade, height]) {
    const low = this.points[this.#chosen - 1]?.[0] ?? 0, high = this.points[this.#chosen + 1]?.[0] ?? 1;
    this.points[this.#chosen] = [Math.min(Math.max(shade, low), high), Math.min(Math.max(height, 0), 1)];
    this.#change();
  }

  #remove() {
    if (this.points.length <= 2) return;
    this.points.splice(this.#chosen, 1);
    this.#chosen = Math.min(this.#chosen, this.points.length - 1);
    this.#held = false;
    this.#change();
  }

  #key(event) {
    const [shade, height] = this.points[this.#chosen], last = this.points.length - 1;
    const does = {
      ArrowLeft: () => this.#put([shade - STEP, height]), ArrowRight: () => this.#put([shade + STEP, height]),
      ArrowUp: () => this.#put([shade, height + STEP]), ArrowDown: () => this.#put([shade, height - STEP]),
      PageUp: () => this.#choose(Math.min(last, this.#chosen + 1)), PageDown: () => this.#choose(Math.max(0, this.#chosen - 1)),
      Delete: () => this.#remove(), Insert: () => this.#insert(),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  #choose(number) {
    this.#chosen = number;
    this.#tell();
    this.redraw();
  }

  /** A point in the middle between the chosen one and a neighbour. */
  #insert() {
    const next = this.#chosen < this.points.length - 1 ? this.#chosen : this.#chosen - 1, [a, b] = this.points.slice(next, next + 2);
    this.#chosen = this.#add([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
    this.#change();
  }

  #change() {
    this.#tell();
    this.redraw();
    this.dispatchEvent(new Event("change"));
  }

  #tell() {
    const [shade, height] = this.points[this.#chosen].map((one) => Math.round(100 * one));
    this.canvas.setAttribute("aria-valuenow", height);
    this.canvas.setAttribute("aria-valuetext", `point ${this.#chosen + 1} of ${this.points.length}: opacity ${height} % at ${shade} % of the window`);
  }

  redraw() {
    const ratio = window.devicePixelRatio, [width, high] = this.#size();
    if (!width || !high) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(high * ratio);
    const context = this.canvas.getContext("2d"), most = Math.sqrt(Math.max(1, ...this.#counts));
    context.scale(ratio, ratio);
    context.fillStyle = `rgb(${SURROUND.join(" ")})`;
    context.fillRect(0, 0, width, high);
    this.#counts.forEach((count, i) => {
      const [left, top] = this.#toPixel([i / this.#counts.length, Math.sqrt(count) / most]), colour = Math.round((255 * i) / this.#counts.length);
      context.fillStyle = this.#colours ? `rgb(${this.#colours.slice(3 * colour, 3 * colour + 3).join(" ")} / 0.5)` : "#7d8288";
      context.fillRect(left, top, (width - 2 * GRIP) / this.#counts.length + 0.5, high - GRIP - top);
    });
    this.#drawCurve(context, width);
  }

  #drawCurve(context, width) {
    context.strokeStyle = context.fillStyle = MARK;
    context.lineWidth = 2;
    context.beginPath();
    const places = this.points.map((point) => this.#toPixel(point));
    context.moveTo(0, places[0][1]);
    for (const place of places) context.lineTo(...place);
    context.lineTo(width, places[places.length - 1][1]);
    context.stroke();
    places.forEach(([x, y], i) => {
      context.beginPath();
      context.arc(x, y, i === this.#chosen && document.activeElement === this.canvas ? 7 : 5, 0, 2 * Math.PI);
      context.fill();
    });
  }
}
