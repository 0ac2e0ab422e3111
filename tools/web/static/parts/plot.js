// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A small plot of curves and points, as SVG.

const SVG = "http://www.w3.org/2000/svg";
/** Pixels beside the curves. */
export const LEFT = 44, RIGHT = 8;
const TOP = 6, BOTTOM = 34;
const TICKS = 5;

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Round numbers between two. */
export function ticks(low, high, most = TICKS) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw);
  const all = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + 1e-9 * step; at++) all.push(Number((at * step).toPrecision(12)));
  return all;
}

/**
 *   new Plot(container, { label: "Curve", x: "axis (px)", y: "row", downwards: false })
 *   plot.show({ lines: [{ x, y, class }], points: [{ x, y, spread }], marks: [{ at, text }], range: [low, high] of x })
 *
 * Classes of lines are those of CSS: plot-line, plot-cyan, plot-red. `said` is what the plot shows, for people who do not see it.
 */
export class Plot {
  #options;
  #svg;
  #shown = null;
  #resizes;

  constructor(container, { label, x = "", y = "", downwards = false }) {
    this.#options = { label, x, y, downwards };
    this.#svg = svg("svg", { class: "plot", role: "img", "aria-label": label });
    container.append(this.#svg);
    this.element = this.#svg;
    this.#resizes = new ResizeObserver(() => this.#draw());
    this.#resizes.observe(this.#svg);
  }

  show({ lines = [], points = [], marks = [], range = null, said = "" }) {
    this.#shown = { lines, points, marks, range };
    this.#svg.setAttribute("aria-label", said ? `${this.#options.label}. ${said}` : this.#options.label);
    this.#draw();
  }

  clear() {
    this.#shown = null;
    this.#svg.replaceChildren();
  }

  #draw() {
    const { width, height } = this.#svg.getBoundingClientRect();
    if (!this.#shown || width < 80 || height < 50) return;
    const { lines, points, marks, range } = this.#shown;
    const xs = [...lines.flatMap((line) => [...line.x]), ...points.flatMap((one) => [one.x - (one.spread ?? 0), one.x + (one.spread ?? 0)]), ...marks.map((mark) => mark.at)];
    const ys = [...lines.flatMap((line) => [...line.y]), ...points.map((one) => one.y)].filter(Number.isFinite);
    const [left, right] = range ?? bounds(xs, 0.03), [low, high] = bounds(ys, 0.06);
    const down = this.#options.downwards;
    const toX = (x) => LEFT + ((x - left) / (right - left)) * (width - LEFT - RIGHT);
    const toY = (y) => TOP + ((down ? y - low : high - y) / (high - low)) * (height - TOP - BOTTOM);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...this.#axes(width, height, ticks(left, right, Math.min(TICKS, width / 60)), ticks(low, high, Math.min(TICKS, height / 30)), toX, toY));
    for (const { at, text } of marks) {
      if (at < left || at > right) continue;
      this.#svg.append(svg("line", { class: "plot-mark", x1: toX(at), x2: toX(at), y1: TOP, y2: height - BOTTOM }));
      if (text) this.#svg.append(svg("text", { class: "plot-mark-text", x: toX(at) + (toX(at) > width - 60 ? -4 : 4), y: TOP + 12, "text-anchor": toX(at) > width - 60 ? "end" : "start" }, text));
    }
    for (const line of lines) this.#svg.append(svg("path", { class: line.class ?? "plot-line", d: pathOf(line, toX, toY, [LEFT, width - RIGHT]) }));
    for (const { x, y, spread } of points) {
      if (spread) this.#svg.append(svg("line", { class: "plot-spread", x1: toX(x - spread), x2: toX(x + spread), y1: toY(y), y2: toY(y) }));
      this.#svg.append(svg("circle", { class: "plot-point", cx: toX(x), cy: toY(y), r: 3 }));
    }
  }

  #axes(width, height, across, along, toX, toY) {
    const bottom = height - BOTTOM, parts = [svg("path", { class: "plot-axis", d: `M${LEFT} ${TOP}V${bottom}H${width - RIGHT}` })];
    for (const at of across) parts.push(svg("path", { class: "plot-axis", d: `M${toX(at)} ${bottom}v4` }), svg("text", { x: toX(at), y: bottom + 15, "text-anchor": "middle" }, String(at)));
    for (const at of along) parts.push(svg("path", { class: "plot-axis", d: `M${LEFT} ${toY(at)}h-4` }), svg("text", { x: LEFT - 6, y: toY(at) + 4, "text-anchor": "end" }, String(at)));
    parts.push(svg("text", { x: (LEFT + width - RIGHT) / 2, y: height - 4, "text-anchor": "middle" }, this.#options.x));
    if (this.#options.y) parts.push(svg("text", { transform: `translate(10 ${(TOP + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, this.#options.y));
    return parts;
  }
}

function bounds(values, margin) {
  const known = values.filter(Number.isFinite);
  if (!known.length) return [0, 1];
  let [low, high] = [Infinity, -Infinity];
  for (const value of known) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const apart = (high - low || Math.abs(high) * 1e-3 || 1) * margin;
  return low === high ? [low - apart * 10, high + apart * 10] : [low - apart, high + apart];
}

function pathOf({ x, y }, toX, toY, [left, right]) {
  let path = "", isDown = false;
  for (let i = 0; i < x.length; i++) {
    const at = toX(x[i]), isKnown = Number.isFinite(y[i]) && at >= left && at <= right;
    if (isKnown) path += `${isDown ? "L" : "M"}${at.toFixed(1)} ${toY(y[i]).toFixed(1)}`;
    isDown = isKnown;
  }
  return path;
}
