// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// How a volume is turned: by mouse, keys and fingers.

const STEP = (5 * Math.PI) / 180; // of a key
const PER_PIXEL = (0.4 * Math.PI) / 180; // of a drag

export const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
// The view along each axis: rows of the matrix from the volume to the view.
export const ALONG = { z: IDENTITY, y: [1, 0, 0, 0, 0, -1, 0, 1, 0], x: [0, 0, -1, 0, 1, 0, 1, 0, 0] };

export function product(a, b) {
  return Array.from({ length: 9 }, (_, i) => [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(i / 3) + k] * b[3 * k + (i % 3)], 0));
}

/** A turn of the view by angles to the right and down. */
export function turned(matrix, right, down) {
  const [c, s, d, t] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
  return upright(product(product([1, 0, 0, 0, d, -t, 0, t, d], [c, 0, s, 0, 1, 0, -s, 0, c]), matrix));
}

/** Rounding errors of many turns add up: rows become of length one and at right angles again. */
function upright(m) {
  const unit = (v) => v.map((one) => one / Math.hypot(...v)), dot = (a, b) => a.reduce((sum, one, i) => sum + one * b[i], 0);
  const first = unit(m.slice(0, 3)), second = m.slice(3, 6), along = dot(first, second);
  const next = unit(second.map((one, i) => one - along * first[i]));
  const third = [first[1] * next[2] - first[2] * next[1], first[2] * next[0] - first[0] * next[2], first[0] * next[1] - first[1] * next[0]];
  return [...first, ...next, ...third];
}

/** Tells `view` what hands do on its canvas: turn(right, down), pan(right, down) in pixels, zoomBy(factor), along(axis), reset(), rest(). */
export class Turning {
  #held = new Map();
  #from = null;

  constructor(canvas, view) {
    this.view = view;
    const on = (name, does, options) => canvas.addEventListener(name, does, options);
    on("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#held.set(event.pointerId, [event.clientX, event.clientY]);
      this.#from = this.#now();
    });
    on("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.#up(event));
    on("wheel", (event) => {
      event.preventDefault();
      view.zoomBy(1.2 ** (-Math.sign(event.deltaY) * Math.min(1, Math.abs(event.deltaY) / 100)));
    }, { passive: false });
    on("dblclick", () => view.reset());
    on("contextmenu", (event) => event.preventDefault());
    on("keydown", (event) => this.#key(event));
  }

  /** Middle of the pointers that are down, and how far two of them are apart. */
  #now() {
    const all = [...this.#held.values()], middle = [0, 1].map((i) => all.reduce((sum, one) => sum + one[i], 0) / all.length);
    return { middle, apart: all.length > 1 ? Math.max(1, Math.hypot(all[1][0] - all[0][0], all[1][1] - all[0][1])) : 0 };
  }

  #move(event) {
    if (!this.#held.has(event.pointerId)) return;
    this.#held.set(event.pointerId, [event.clientX, event.clientY]);
    const now = this.#now(), [right, down] = now.middle.map((at, i) => at - this.#from.middle[i]);
    if (now.apart) {
      this.view.pan(right, down);
      this.view.zoomBy(now.apart / this.#from.apart);
    } else if (event.shiftKey || event.buttons & 6) this.view.pan(right, down);
    else this.view.turn(right * PER_PIXEL, down * PER_PIXEL);
    this.#from = now;
  }

  #up(event) {
    this.#held.delete(event.pointerId);
    if (this.#held.size) this.#from = this.#now();
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (right !== undefined && event.shiftKey) this.view.pan(20 * right, 20 * down);
    else if (right !== undefined) this.view.turn(right * STEP, down * STEP);
    else if (event.key === "+" || event.key === "=") this.view.zoomBy(1.2);
    else if (event.key === "-") this.view.zoomBy(1 / 1.2);
    else if (event.key === "0") this.view.reset();
    else if (event.key in ALONG) this.view.along(event.key);
    else return;
    event.preventDefault();
  }
}
