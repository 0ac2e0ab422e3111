// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Views half a turn apart over each other, with the axis to drag.

import { get, samples } from "../api.js";
import { element } from "../parts/dom.js";
import { LEFT, Plot, RIGHT } from "../parts/plot.js";
import { button, group, StateLine } from "../parts/states.js";
import { parameters } from "../settings.js";
import { ImageView } from "../viewer/image.js";
import { axisOrMiddle, TAB } from "./axis-facts.js";

const SET = 150; // ms without a movement until the axis is set
const REST = 300; // ms without a change until views are asked for
const THIN = 16; // columns of a row, from which on views are lines rather than images
const MOST_COLUMNS = 2048; // of a view; more are added up
const REACH = 6; // pixels beside the line where a drag takes it
const MARK = "#35c9cb";
const MODES = [["red-cyan", "Cyan / red"], ["difference", "Difference"], ["sum", "Sum"]];

/** The dashed line at the axis: dragged, or moved by Left and Right. */
class AxisLine {
  #page;
  screenOnly = true;

  constructor(page) {
    this.#page = page;
  }

  paint(context, surface) {
    if (!this.#page.hasViews) return;
    const [x] = surface.toPixel(this.#page.axis, 0), [, height] = surface.size;
    context.strokeStyle = MARK;
    context.setLineDash([5, 4]);
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
    context.setLineDash([]);
    context.font = "12px system-ui, sans-serif";
    const text = `axis ${this.#page.axis.toFixed(2)}`, wide = context.measureText(text).width;
    const left = x + wide + 20 > surface.size[0] ? x - wide - 12 : x + 8;
    context.fillStyle = "rgb(0 0 0 / 70%)";
    context.fillRect(left - 4, 8, wide + 8, 18);
    context.fillStyle = MARK;
    context.fillText(text, left, 21);
  }

  hover(at) {
    return this.#isNear(at) ? "ew-resize" : null;
  }

  press(at) {
    return this.#isNear(at);
  }

  move(at) {
    this.#page.move(at[0]);
  }

  key(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || event.ctrlKey || event.altKey || event.metaKey || !this.#page.hasViews) return false;
    this.#page.move(this.#page.axis + way * (event.shiftKey ? 1 : 0.1));
    return true;
  }

  #isNear(at) {
    return this.#page.hasViews && Math.abs(at[0] - this.#page.axis) * this.#page.view.scale < REACH;
  }
}

export class OverlayPage {
  axis = 0;
  #frame;
  #views = null; // {data, width, height, binning}
  #about = null;
  #mode = "red-cyan";
  #isOld = true;
  #number = null;
  #timers = {};
  #asking = null;

  constructor(frame) {
    this.#frame = frame;
    this.#modes = MODES.map(([mode, text]) => button(text, () => this.#setMode(mode), { class: "btn small", "aria-pressed": String(mode === this.#mode), "data-mode": mode }));
    this.#field = number("axis-value", { step: 0.1, change: () => this.#type() });
    this.#first = number("first-view", { min: 0, change: () => this.#ask() });
    this.#rows = [number("row-from", { min: 0, change: () => this.#show() }), number("row-to", { min: 0, change: () => this.#show() })];
    this.#pair = element("span", { class: "faint" });
    this.#profile = button("Profile", () => this.#turnProfile(), { class: "btn small", "aria-pressed": "false", title: "Mean of the rows, of both views" });
    this.#doubt = element("p", { "data-tone": "warning", hidden: true });
    this.state = new StateLine();
    this.state.addEventListener("cancel", () => this.#asking?.abort());
    const picture = element("div", { class: "picture" }), plot = (this.#plotRoom = element("div", { class: "surround axis-profile", hidden: true }));
    this.element = element("div", { class: "axis-page" },
      element("div", { class: "toolbar" }, ...this.#modes, group(element("label", { for: "axis-value" }, "Axis"), this.#field, element("span", { class: "faint" }, "px")),
        button("Auto", () => this.view.autoLevels(), { class: "btn small", title: "Black and white at 0.5 and 99.5 %" }), button("Fit", () => this.view.fit(), { class: "btn small" })),
      picture, plot,
      element("div", { class: "toolbar below" }, group(element("label", { for: "first-view" }, "View"), this.#first, this.#pair), this.#profile,
        group(element("label", { for: "row-from" }, "Rows"), this.#rows[0], element("label", { for: "row-to" }, "to"), this.#rows[1])),
      this.#doubt, this.state.element);
    this.view = new ImageView(picture, { label: "Views half a turn apart" });
    this.view.add(new AxisLine(this));
    this.view.addEventListener("step", ({ detail }) => this.#step(detail));
    this.view.addEventListener("moved", () => this.#drawProfile());
    this.#plot = new Plot(plot, { label: "Profile", x: "column (px)", y: "mean" });
    frame.settings.addEventListener("change", ({ detail }) => this.#change(detail.changed));
  }

  #modes; #field; #first; #rows; #pair; #profile; #doubt; #plotRoom; #plot;

  get hasViews() {
    return this.#views !== null;
  }

  /** The page is seen, with the data set of the frame. */
  show() {
    const { dataset } = this.#frame;
    if (this.#number !== dataset.id) {
      this.#number = dataset.id;
      this.clear();
      const most = dataset.facts.height - 1;
      this.#first.value = 0;
      this.#rows.forEach((field, i) => Object.assign(field, { max: most, value: i * most }));
      if (dataset.facts.height * THIN < dataset.facts.width !== (this.#profile.getAttribute("aria-pressed") === "true")) this.#turnProfile();
    }
    this.#showAxis();
    if (this.#isOld) this.#ask();
  }

  clear() {
    this.#asking?.abort();
    this.#views = this.#about = null;
    this.#isOld = true;
    this.view.clear();
    this.#plot.clear();
    this.#pair.textContent = "";
  }

  /** The axis goes to a column; it counts when nothing has moved for a moment. */
  move(axis) {
    const { width } = this.#frame.dataset.facts;
    this.axis = Math.round(Math.min(Math.max(axis, 0), width) * 100) / 100;
    this.#drawAxis();
    this.view.say(`axis ${this.axis.toFixed(2)}`);
    this.#later("axis", SET, () => this.#frame.settings.takeAxis(this.axis));
  }

  #type() {
    const typed = Number(this.#field.value);
    if (this.#field.value.trim() !== "" && Number.isFinite(typed)) this.move(typed);
    else this.#field.value = this.axis.toFixed(2);
  }

  #later(name, time, does) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name];
      does();
    }, time);
  }

  #showAxis() {
    if ("axis" in this.#timers || !this.#frame.dataset?.facts) return; // it is moved at this moment
    this.axis = axisOrMiddle(this.#frame);
    this.#drawAxis();
  }

  #drawAxis() {
    if (document.activeElement !== this.#field) this.#field.value = this.axis.toFixed(2); // nobody's typing is overwritten
    if (this.#views) this.view.setOverlay({ shift: this.#shift });
    this.view.redraw();
    this.#drawProfile();
  }

  get #shift() {
    const { width, binning } = this.#views;
    return 2 * this.axis - width * binning; // the mirrored view's left edge
  }

  #setMode(mode) {
    this.#mode = mode;
    for (const one of this.#modes) one.setAttribute("aria-pressed", String(one.dataset.mode === mode));
    if (this.#views) this.view.setOverlay({ mode });
  }

  async #change(names) {
    if (this.#number === null || this.#frame.dataset?.id !== this.#number) return;
    this.#showAxis();
    const { about } = await parameters();
    const decides = (one) => one && (one.of_scan || ["scan", "angles", "flat-correction", "distortion-correction", "retrieve-phase"].includes(one.section) || one.name.startsWith("outliers"));
    if (names.some((name) => decides(about.get(name)))) {
      this.#isOld = true;
      if (this.element.checkVisibility()) this.#later("views", REST, () => this.#ask());
    } else if (names.some((name) => ["geometry", "axis-angle-x", "source-position-y"].includes(name))) this.#tellDoubt();
  }

  async #tellDoubt() {
    try {
      await this.#frame.settings.saved();
      this.#about = await get(`datasets/${this.#number}/axis`);
      this.#doubt.textContent = this.#about.doubt ? `⚠ ${this.#about.doubt}` : "";
      this.#doubt.hidden = !this.#about.doubt;
    } catch (error) {
      this.state.failed(error.message);
    }
  }

  /** Asks for the two views; the last ones stay until these are there. */
  async #ask() {
    const number = this.#number, { facts } = this.#frame.dataset;
    this.#isOld = false;
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    this.state.working("Two views are read", { cancel: true });
    try {
      await this.#tellDoubt();
      if (!this.#about || signal.aborted || number !== this.#number) return;
      const { opposite } = this.#about;
      this.#first.disabled = !opposite || opposite.apart >= facts.projections - 1;
      if (!opposite) {
        this.#views = null;
        this.view.clear(this.#about.why);
        this.state.empty("There are no views to lay over each other");
        return;
      }
      this.#first.max = facts.projections - 1 - opposite.apart;
      const first = Math.min(Math.max(Math.round(Number(this.#first.value)) || 0, 0), Number(this.#first.max));
      this.#first.value = first;
      this.#pair.textContent = `and ${first + opposite.apart}, ${opposite.degrees.toFixed(1)}° apart`;
      const binning = Math.min(16, Math.ceil(facts.width / MOST_COLUMNS));
      const { data, shape, headers } = await samples("GET", `datasets/${number}/axis/views`, { query: { first, binning, tab: TAB }, signal });
      if (number !== this.#number) return;
      this.#views = { data, width: shape[2], height: shape[1], binning: JSON.parse(headers.get("X-Facts")).binning };
      this.#show();
      this.state.done(`Views ${first} and ${first + opposite.apart}. Drag the line, or press Left, Right: 0.1 px, Shift 1 px`);
    } catch (error) {
      if (signal.aborted) {
        if (signal === this.#asking?.signal) this.state.done();
      } else if (error.status !== 409 || !/in its place/.test(error.message)) this.state.failed(error.message);
    }
  }

  #step(images) {
    const field = this.#first;
    const next = Math.min(Math.max(Number(field.value) + images, 0), Number(field.max));
    if (field.disabled || next === Number(field.value)) return;
    field.value = next;
    this.#later("views", SET, () => this.#ask());
  }

  /** The rows that are chosen, of a view: 0 or 1. */
  #part(view) {
    const { data, width, height, binning } = this.#views;
    const [top, bottom] = this.#rows.map((field) => Math.min(Math.max(Math.floor(Number(field.value) / binning), 0), height - 1)).sort((a, b) => a - b);
    const begin = view * width * height;
    return { data: data.subarray(begin + top * width, begin + (bottom + 1) * width), width, height: bottom + 1 - top };
  }

  #show() {
    if (!this.#views) return;
    const pixelSize = this.#frame.dataset.facts["pixel-size"];
    const [a, b] = [0, 1].map((view) => ({ ...this.#part(view), pixelSize, step: this.#views.binning }));
    this.view.overlay(a, b, { mode: this.#mode, shift: this.#shift, mirrored: true });
    this.#drawProfile();
  }

  #turnProfile() {
    const isOn = this.#profile.getAttribute("aria-pressed") !== "true";
    this.#profile.setAttribute("aria-pressed", String(isOn));
    this.#plotRoom.hidden = !isOn;
    this.#drawProfile();
  }

  /** Means of the rows, the second one mirrored at the axis. */
  #drawProfile() {
    if (!this.#views || this.#plotRoom.hidden) return;
    const [right] = this.view.size, seen = [LEFT, right - RIGHT].map((x) => this.view.toImage(x, 0)[0]); // columns lie below those of the views
    const { binning, width } = this.#views, columns = Float64Array.from({ length: width }, (_, i) => (i + 0.5) * binning);
    const [zero, opposite] = [0, 1].map((view) => means(this.#part(view)));
    this.#plot.show({
      lines: [{ x: columns, y: zero, class: "plot-cyan" }, { x: columns.map((x) => 2 * this.axis - x), y: opposite, class: "plot-red" }],
      marks: [{ at: this.axis }], range: seen,
      said: "Cyan: the view at 0 degrees; red: the one at 180 degrees, mirrored",
    });
  }
}

function means({ data, width, height }) {
  const sums = new Float64Array(width);
  for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) sums[column] += data[row * width + column];
  return sums.map((sum) => sum / height);
}

/** A field for a number, with the name of its element. */
export function number(id, attributes = {}) {
  return element("input", { id, type: "number", class: "form-control number", step: 1, ...attributes });
}
