// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The distribution of an image's values, with window and level to drag.

import { element } from "../parts/dom.js";
import { counts, span, textOf } from "./levels.js";
import { table } from "./maps.js";
import { MARK, SURROUND } from "./scalebar.js";
import { paintText } from "./surface.js";

const GRIP = 8; // pixels beside an edge of the window that take it
const BINS = 256;
const STRIP = 8; // pixels of the colours below

/**
 * Counts of values (in square roots, so that rare ones show), the window from black to white over them, and the colours below.
 * Dragging an edge changes it, dragging between them moves both, a double click asks for automatic levels. Events: "levels",
 * detail [low, high], and "automatic".
 */
export class Histogram extends EventTarget {
  #some = new Float64Array();
  #counts = new Float64Array();
  #most = [0, 1];
  #range = [0, 1];
  #window = [0, 1];
  #colours = table("grey");
  #held = null;
  #waits = 0;

  constructor(container) {
    super();
    this.canvas = element("canvas", {
      tabindex: 0, role: "slider", "aria-label": "Window: black and white", title: "Drag an edge or the middle; double click for 0.5 to 99.5 %",
      pointerdown: (event) => this.#down(event), pointermove: (event) => this.#move(event), pointerup: (event) => this.#up(event),
      pointercancel: () => (this.#held = null), dblclick: () => this.dispatchEvent(new Event("automatic")), keydown: (event) => this.#key(event),
      focus: () => this.#redraw(), blur: () => this.#redraw() });
    this.frame = element("div", { class: "viewer-histogram" }, this.canvas);
    container.append(this.frame);
    this.sizes = new ResizeObserver(() => this.#redraw());
    this.sizes.observe(this.frame);
  }

  close() {
    this.sizes.disconnect();
    cancelAnimationFrame(this.#waits);
    this.frame.remove();
  }

  /** Finite values in their order of size, as levels.sample() gives them. */
  setValues(sorted) {
    this.#some = sorted;
    this.#most = span(sorted);
    this.#count();
  }

  /** The same from counts of another one: of bins of equal width over a range. */
  setCounts(numbers, range) {
    this.#some = null;
    this.#most = this.#range = range;
    this.#counts = Float64Array.from(numbers);
    this.#redraw();
  }

  get levels() {
    return [...this.#window];
  }

  set levels(levels) {
    this.#window = [...levels];
    const [low, high] = this.#window;
    const low4 = textOf(low), high4 = textOf(high);
    for (const [name, value] of [["valuemin", this.#most[0]], ["valuemax", this.#most[1]], ["valuenow", (low + high) / 2]]) {
      this.canvas.setAttribute(`aria-${name}`, value);
    }
    this.canvas.setAttribute("aria-valuetext", `black ${low4}, white ${high4}`);
    if (!this.#held && this.#some && String(this.span) !== String(this.#range)) this.#count();
    this.#redraw();
  }

  set colours(colours) {
    this.#colours = colours;
    this.#redraw();
  }

  /** Values at the left and the right edge: most of those of the image, and the window where it is wider. */
  get span() {
    if (this.#held) return this.#held.span; // the axis stands still meanwhile
    const low = Math.min(this.#most[0], this.#window[0]), high = Math.max(this.#most[1], this.#window[1]);
    return [low - 0.02 * (high - low), high + 0.02 * (high - low)];
  }

  get counts() {
    return this.#counts;
  }

  #count() {
    this.#range = this.span;
    this.#counts = counts(this.#some, BINS, this.#range);
    this.#redraw();
  }

  #toPixel(value) {
    const [low, high] = this.span;
    return ((value - low) / (high - low)) * this.frame.clientWidth;
  }

  #toValue(pixel) {
    const [low, high] = this.span;
    return low + (pixel / Math.max(1, this.frame.clientWidth)) * (high - low);
  }

  #redraw() {
    this.#waits ||= requestAnimationFrame(() => {
      this.#waits = 0;
      this.#draw();
    });
  }

  #draw() {
    const ratio = window.devicePixelRatio, width = this.frame.clientWidth, height = this.frame.clientHeight;
    if (!width || !height) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext("2d"), ground = height - STRIP, [low, high] = this.#window.map((value) => this.#toPixel(value));
    context.scale(ratio, ratio);
    context.fillStyle = `rgb(${SURROUND.join(" ")})`;
    context.fillRect(0, 0, width, height);
    this.#drawCounts(context, ground);
    context.fillStyle = this.#gradient(context, low, high);
    context.fillRect(0, ground + 1, width, STRIP - 1);
    context.fillStyle = "rgba(53, 201, 203, 0.14)";
    context.fillRect(low, 0, high - low, ground);
    context.fillStyle = MARK;
    const line = document.activeElement === this.canvas ? 2 : 1;
    for (const x of [low, high]) context.fillRect(Math.round(x) - line / 2, 0, line, height);
    this.#drawTexts(context, low, high, width);
  }

  #drawCounts(context, ground) {
    const most = Math.sqrt(Math.max(1, ...this.#counts)), [first, last] = this.#range;
    context.fillStyle = "#7d8288";
    context.beginPath();
    this.#counts.forEach((count, i) => {
      const left = this.#toPixel(first + (i / BINS) * (last - first)), right = this.#toPixel(first + ((i + 1) / BINS) * (last - first));
      const high = (Math.sqrt(count) / most) * (ground - 4);
      context.rect(left, ground - high, right - left, high);
    });
    context.fill();
  }

  #gradient(context, low, high) {
    const gradient = context.createLinearGradient(low, 0, Math.max(high, low + 1e-3), 0);
    for (let i = 0; i < 256; i += 15) gradient.addColorStop(i / 255, `rgb(${this.#colours.slice(3 * i, 3 * i + 3).join(" ")})`);
    return gradient;
  }

  /** The two values beside their lines, inside and not over each other. */
  #drawTexts(context, low, high, width) {
    context.font = "11px ui-monospace, monospace";
    const [left, right] = this.#window.map((value) => textOf(value));
    const wideLeft = context.measureText(left).width + 12, wideRight = context.measureText(right).width + 12;
    const xLeft = Math.min(Math.max(low - wideLeft, 4), width - wideLeft - wideRight);
    const xRight = Math.max(Math.min(high + 8, width - wideRight + 4), xLeft + wideLeft);
    paintText(context, left, xLeft, 4);
    paintText(context, right, xRight, 4);
  }

  // Dragging

  #x(event) {
    return event.clientX - this.canvas.getBoundingClientRect().left;
  }

  #partAt(x, grip = GRIP) {
    const [low, high] = this.#window.map((value) => this.#toPixel(value)), nearLow = Math.abs(x - low), nearHigh = Math.abs(x - high);
    if (Math.min(nearLow, nearHigh) <= grip) return nearLow < nearHigh || (nearLow === nearHigh && x < low) ? "low" : "high";
    return low < x && x < high ? "both" : null;
  }

  #down(event) {
    const part = this.#partAt(this.#x(event), event.pointerType === "touch" ? 3 * GRIP : GRIP);
    if (event.button !== 0 || !part) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#held = { part, from: this.#toValue(this.#x(event)), window: this.levels, span: this.span };
  }

  #move(event) {
    if (!this.#held) {
      this.canvas.style.cursor = { both: "move", low: "col-resize", high: "col-resize" }[this.#partAt(this.#x(event))] ?? "default";
      return;
    }
    const { part, from, span } = this.#held, step = this.#toValue(this.#x(event)) - from, least = (span[1] - span[0]) * 1e-3;
    let [low, high] = this.#held.window;
    if (part !== "high") low += step;
    if (part !== "low") high += step;
    if (high - low < least) [low, high] = part === "low" ? [high - least, high] : [low, low + least];
    this.#change(low, high);
  }

  #up(event) {
    if (!this.#held) return;
    this.#move(event);
    this.#held = null;
    if (this.#some) this.#count();
  }

  /** Left and right move the window by a hundredth, up and down widen and narrow it. */
  #key(event) {
    const [low, high] = this.#window, step = (high - low) / 100;
    const moves = { ArrowLeft: [-step, -step], ArrowRight: [step, step], ArrowUp: [-step, step], ArrowDown: [step, -step] }[event.key];
    if (!moves) return;
    event.preventDefault();
    this.#change(low + moves[0], high + moves[1]);
  }

  #change(low, high) {
    this.levels = [low, high];
    this.dispatchEvent(new CustomEvent("levels", { detail: this.levels }));
  }
}
