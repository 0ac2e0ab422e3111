// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Mouse, pen and fingers on a surface.

const FAR = 2 ** 30; // images: to the first or the last one
const SLACK = 3; // pixels that a click may move
const NOTCH = 50; // pixels of a turn above which a wheel has notches

export const MOVES = {
  far: FAR,
  keys: { PageUp: -10, PageDown: 10, ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, Home: -FAR, End: FAR },
};

/** Wheel: other images. Ctrl+wheel: zoom. Drag: move. Right drag: window and level. Two fingers: move and zoom. */
export class Hands {
  #surface;
  #held = new Map(); // pointers that are down: [x, y]
  #mode = null; // move, window, layer, pinch
  #holder = null;
  #from = null;
  #dragged = false;
  #turned = 0;
  #tap = null;

  constructor(surface) {
    this.#surface = surface;
    const on = (name, does, options) => surface.canvas.addEventListener(name, does, options);
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#cancel(event));
    on("pointerleave", () => this.#held.size || surface.point(null));
    on("dblclick", () => surface.fit());
    on("contextmenu", (event) => event.preventDefault());
  }

  #at(event) {
    const box = this.#surface.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #wheel(event) {
    event.preventDefault();
    const unit = [1, 100 / 3, 800][event.deltaMode], turned = (event.deltaY || event.deltaX) * unit;
    const hasNotches = Math.abs(turned) >= NOTCH;
    if (event.ctrlKey) {
      const notches = hasNotches ? turned / 100 : turned / 18; // two fingers on a touch pad turn little
      this.#surface.zoom(1.2 ** -notches, this.#at(event));
      return;
    }
    this.#turned += hasNotches ? Math.sign(turned) * Math.max(1, Math.round(Math.abs(turned) / 120)) : turned / 100;
    const steps = Math.trunc(this.#turned);
    this.#turned -= steps;
    if (steps) this.#surface.dispatchEvent(new CustomEvent("step", { detail: steps }));
  }

  #down(event) {
    const at = this.#at(event), { canvas } = this.#surface;
    this.#held.set(event.pointerId, at);
    canvas.setPointerCapture(event.pointerId);
    if (this.#held.size === 2) {
      this.#mode = "pinch";
      this.#from = this.#pair();
      return;
    }
    if (this.#held.size > 2) return;
    this.#from = at;
    this.#dragged = false;
    const where = this.#surface.toImage(...at);
    this.#holder = event.button === 0 ? [...this.#surface.layers].reverse().find((layer) => layer.press?.(where, event)) : null;
    this.#mode = event.button === 2 ? "window" : this.#holder ? "layer" : "move";
    if (this.#mode === "window") this.#tellWindow(0, 0, true);
  }

  /** Middle of two fingers, and how far they are apart. */
  #pair() {
    const [[x0, y0], [x1, y1]] = this.#held.values();
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, apart: Math.max(1, Math.hypot(x1 - x0, y1 - y0)) };
  }

  #tellWindow(right, down, begins = false) {
    this.#surface.dispatchEvent(new CustomEvent("window", { detail: { right, down, begins } }));
  }

  #move(event) {
    const at = this.#at(event), surface = this.#surface, where = surface.toImage(...at);
    if (!this.#held.has(event.pointerId)) {
      surface.canvas.style.cursor = [...surface.layers].reverse().map((layer) => layer.hover?.(where)).find(Boolean) ?? "crosshair";
      surface.point(where);
      return;
    }
    this.#held.set(event.pointerId, at);
    if (this.#mode === "pinch" && this.#held.size === 2) this.#pinch();
    else if (this.#mode === "window") this.#tellWindow(at[0] - this.#from[0], at[1] - this.#from[1]);
    else if (this.#mode === "layer") this.#holder.move?.(where, event);
    else if (this.#mode === "move") this.#drag(at);
    surface.point(surface.toImage(...at));
  }

  #pinch() {
    const now = this.#pair(), { x, y, apart } = this.#from;
    this.#surface.move(now.x - x, now.y - y);
    this.#surface.zoom(now.apart / apart, [now.x, now.y]);
    this.#from = now;
  }

  #drag(at) {
    const [right, down] = [at[0] - this.#from[0], at[1] - this.#from[1]];
    if (!this.#dragged && Math.abs(right) + Math.abs(down) < SLACK) return;
    this.#dragged = true;
    this.#from = at;
    this.#surface.canvas.style.cursor = "grabbing";
    this.#surface.move(right, down);
  }

  #up(event) {
    if (!this.#held.has(event.pointerId)) return;
    if (this.#mode !== "pinch") this.#move(event); // the last movement may not have been told
    this.#held.delete(event.pointerId);
    const surface = this.#surface, [x, y] = surface.toImage(...this.#at(event));
    if (this.#mode === "layer") this.#holder.release?.([x, y], event);
    else if (this.#mode === "move" && !this.#dragged && event.button === 0) {
      surface.dispatchEvent(new CustomEvent("pick", { detail: { x, y } }));
      this.#tapped(event);
    }
    surface.canvas.style.cursor = "crosshair";
    if (event.pointerType === "touch") surface.point(null);
    this.#end();
  }

  /** Two taps of a finger fit, as a double click does. */
  #tapped(event) {
    if (event.pointerType !== "touch") return;
    if (this.#tap && event.timeStamp - this.#tap < 300) this.#surface.fit();
    this.#tap = event.timeStamp;
  }

  #cancel(event) {
    this.#held.delete(event.pointerId);
    this.#end();
  }

  /** What remains of two fingers moves nothing. */
  #end() {
    this.#mode = this.#held.size ? "rest" : null;
    this.#holder = null;
  }
}
