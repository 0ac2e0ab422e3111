// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Layers over planes: the crosshair, and a length to measure.

import { lengthText, MARK } from "./scalebar.js";
import { paintText } from "./surface.js";

const GRIP = 6; // pixels beside a line or a point that take it
const GAP = 10; // pixels that a crosshair leaves free in its middle
export const COLOURS = ["#f0a848", "#6ea8ff", "#e070d8"]; // of z, y, x

/** Two lines: where the other planes cross this one. `at`() gives (x, y), move(x, y) is called by a drag of one or both. */
export class Crosshair {
  screenOnly = true;
  visible = true;
  #held = null;

  constructor(surface, at, moved, colours) {
    [this.surface, this.at, this.moved, this.colours] = [surface, at, moved, colours];
  }

  paint(context, surface) {
    if (!this.visible || !this.at()) return;
    const [x, y] = surface.toPixel(...this.at()), [width, height] = surface.size;
    const lines = [[x, 0, x, y - GAP, 0], [x, y + GAP, x, height, 0], [0, y, x - GAP, y, 1], [x + GAP, y, width, y, 1]];
    context.lineWidth = 1;
    for (const [x0, y0, x1, y1, which] of lines) {
      context.strokeStyle = this.colours[which];
      context.beginPath();
      context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
      context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
      context.stroke();
    }
  }

  /** Which lines are near: [that of x, that of y]. */
  #near([x, y]) {
    if (!this.visible || !this.at()) return [false, false];
    const [atX, atY] = this.at(), grip = GRIP / this.surface.scale;
    return [Math.abs(x - atX) <= grip, Math.abs(y - atY) <= grip];
  }

  hover(at) {
    const [x, y] = this.#near(at);
    return x && y ? "move" : x ? "col-resize" : y ? "row-resize" : null;
  }

  press(at, event) {
    const near = this.#near(at);
    this.#held = event.shiftKey || !(near[0] || near[1]) ? null : near;
    return Boolean(this.#held);
  }

  move([x, y]) {
    const [atX, atY] = this.at();
    this.moved(this.#held[0] ? x : atX, this.#held[1] ? y : atY);
  }
}

/** A line that a drag draws, with its length beside it; its ends can be dragged. Shift keeps it straight. */
export class Length {
  visible = false;
  ends = null;
  #held = null;

  constructor(surface, told = () => {}) {
    [this.surface, this.told] = [surface, told];
  }

  /** Length in samples; 0 where there is none. */
  get length() {
    return this.ends ? Math.hypot(this.ends[1][0] - this.ends[0][0], this.ends[1][1] - this.ends[0][1]) : 0;
  }

  get text() {
    const size = this.surface.pixelSize, pixels = `${Number(this.length.toPrecision(4))} px`;
    return size ? `${lengthText(this.length * size, 4)} (${pixels})` : pixels;
  }

  clear() {
    this.ends = null;
    this.told("");
    this.surface.redraw();
  }

  paint(context, surface) {
    if (!this.visible || !this.ends) return;
    const [[x0, y0], [x1, y1]] = this.ends.map((end) => surface.toPixel(...end));
    for (const [colour, width] of [["rgba(0, 0, 0, 0.66)", 4], [MARK, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      for (const [x, y] of [[x0, y0], [x1, y1]]) {
        context.moveTo(x + 4, y);
        context.arc(x, y, 4, 0, 2 * Math.PI);
      }
      context.stroke();
    }
    context.font = "12px ui-monospace, monospace";
    const [width, height] = surface.size, wide = context.measureText(this.text).width;
    paintText(context, this.text, Math.min(Math.max(4, x1 + 10), width - wide - 8), Math.min(Math.max(4, y1 + 6), height - 24));
  }

  hover(at) {
    return this.visible && this.#endAt(at) >= 0 ? "grab" : null;
  }

  #endAt([x, y]) {
    return (this.ends ?? []).findIndex(([endX, endY]) => Math.hypot(x - endX, y - endY) * this.surface.scale <= 2 * GRIP);
  }

  press(at) {
    if (!this.visible) return false;
    this.#held = this.#endAt(at);
    if (this.#held < 0) {
      this.ends = [at, at];
      this.#held = 1;
    }
    return true;
  }

  /** One end after the other, as keys choose them. */
  put(at) {
    this.ends = this.ends && !this.length ? [this.ends[0], at] : [at, at];
    this.told(this.length ? this.text : "");
    this.surface.say(this.length ? this.text : "begin of the length");
    this.surface.redraw();
  }

  move(at, event) {
    const other = this.ends[1 - this.#held], away = [Math.abs(at[0] - other[0]), Math.abs(at[1] - other[1])];
    this.ends[this.#held] = !event.shiftKey ? at : away[0] > away[1] ? [at[0], other[1]] : [other[0], at[1]];
    this.told(this.text);
    this.surface.redraw();
  }

  release() {
    if (this.length * this.surface.scale < 3) this.clear(); // a click takes it away
  }

  /** Delete takes it away. */
  key(event) {
    if (!this.visible || !this.ends || event.key !== "Delete") return false;
    this.clear();
    return true;
  }
}
