// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The axis as methods find it, how sure they are, and their curves.

import { post } from "../api.js";
import { element } from "../parts/dom.js";
import { Plot } from "../parts/plot.js";
import { button } from "../parts/states.js";
import { parameters } from "../settings.js";
import { TAB } from "./axis-facts.js";

const WITHOUT_SEARCH = ["scan", "middle"]; // methods that look at nothing

export class Estimates {
  #frame;
  #number = null;
  #methods = [];
  #found = {}; // by method: what estimate --json says
  #failed = {};
  #old = new Set(); // methods whose answers belong to other settings
  #said = ["", ""]; // by the server, of all answers
  #running = null;
  #asking = null;
  #chosen = null;
  #rows = new Map();
  #body = element("tbody");
  #find = button("Find", () => this.ask(["auto"]), { class: "btn small", title: "By the methods that serve this scan", id: "find-methods" });
  #all = button("All methods", () => this.ask(this.#methods.filter((name) => !WITHOUT_SEARCH.includes(name))), { class: "btn small", title: "Each by itself, one after the other", id: "all-methods" });
  #stop = button("Cancel", () => this.cancel(), { class: "btn small", hidden: true, id: "cancel-methods" });
  #line = element("p", { class: "axis-said", role: "status" });
  #none = element("p", { class: "faint" }, "Find shows what a method compares, and the axis in each row.");
  #tilted = element("input", { type: "checkbox", class: "form-check-input", id: "with-tilt", disabled: true });
  #take = button("Take", () => this.#takeChosen(), { class: "btn small", disabled: true, id: "take-axis" });
  #curveTitle = element("p", { class: "faint" });
  #rowsTitle = element("p", { class: "faint" });

  constructor(frame) {
    this.#frame = frame;
    for (const one of [this.#find, this.#all]) one.disabled = frame.person.role === "viewer";
    const curve = element("div", { class: "surround" }), rows = element("div", { class: "surround" });
    this.#curveRoom = element("div", { class: "axis-curve", hidden: true }, this.#curveTitle, curve);
    this.#rowsRoom = element("div", { class: "axis-curve", hidden: true }, this.#rowsTitle, rows);
    this.element = element("div", { class: "estimates" },
      element("div", { class: "toolbar" }, this.#find, this.#all, this.#stop),
      element("table", { class: "table estimates-table", "aria-label": "The axis by methods" }, element("thead", {}, element("tr", {},
        ...["Method", "Axis", "±", "Tilt °"].map((title, i) => element("th", { scope: "col", class: i ? "number" : null }, title)))), this.#body),
      this.#line, this.#curveRoom, this.#rowsRoom, this.#none,
      element("div", { class: "toolbar" }, element("label", { class: "form-check", title: "Takes the tilt as the roll that projections are rotated by" }, this.#tilted, " with tilt"),
        element("span", { class: "end" }), this.#take));
    this.#curve = new Plot(curve, { label: "What the method compares", x: "axis (px)" });
    this.#axes = new Plot(rows, { label: "Axis in each row", x: "axis (px)", y: "row", downwards: true });
    frame.settings.addEventListener("change", ({ detail }) => this.#change(detail.changed));
    this.ready = parameters().then(({ about }) => {
      this.#methods = about.get("axis-method").choices;
      this.#body.replaceChildren(...this.#methods.map((method) => this.#row(method)));
    });
  }

  #curveRoom; #rowsRoom; #curve; #axes;

  async show() {
    await this.ready;
    if (this.#number === this.#frame.dataset.id) return;
    this.#number = this.#frame.dataset.id;
    this.clear();
  }

  /** Begins with another scan. */
  clear() {
    this.cancel();
    const { facts } = this.#frame.dataset;
    this.#found = { middle: { "axis-px": facts.width / 2 }, ...(typeof facts.axis === "number" ? { scan: { "axis-px": facts.axis } } : {}) };
    this.#failed = {};
    this.#old.clear();
    this.#said = ["", ""];
    this.#choose(null);
    this.#fill();
  }

  cancel() {
    this.#asking?.abort();
    this.#asking = this.#running = null;
    this.#fill();
  }

  /** Has the axis found by each of these methods, one after the other. */
  async ask(methods) {
    this.cancel();
    const { signal } = (this.#asking = new AbortController()), number = this.#number;
    for (const name of methods.includes("auto") ? this.#searched : methods.filter((one) => one in this.#found)) this.#old.add(name);
    for (const method of methods) {
      this.#running = method;
      this.#fill();
      const began = this.#frame.settings.values;
      try {
        const answer = await post(`datasets/${number}/axis/estimate`, { method, settings: began, tab: TAB, beside: this.#beside(method) }, { signal });
        this.#know(method, answer, began);
      } catch (error) {
        if (signal.aborted) return;
        this.#forget(method);
        this.#failed[method] = error.message;
        this.#frame.note("warning", `${method}: ${error.message}`);
      }
    }
    this.#running = null;
    this.#fill();
  }

  get #searched() {
    return Object.keys(this.#found).filter((name) => !WITHOUT_SEARCH.includes(name));
  }

  /** What other methods have found with the same settings. */
  #beside(method) {
    const known = this.#searched.filter((name) => name !== method && !this.#old.has(name) && "uncertainty-px" in this.#found[name]);
    return Object.fromEntries(known.map((name) => [name, { axis: this.#found[name]["axis-px"], uncertainty: this.#found[name]["uncertainty-px"] }]));
  }

  #know(method, { found, failed, agreement, tone }, settings) {
    for (const [name, one] of Object.entries(found)) {
      this.#forget(name);
      this.#found[name] = one;
    }
    for (const [name, why] of Object.entries(failed)) {
      this.#forget(name);
      this.#failed[name] = why;
    }
    if (method === "auto") for (const name of [...this.#old]) this.#forget(name); // what it did not ask again
    this.#said = [agreement, tone];
    if (settings !== this.#frame.settings.values) for (const name of Object.keys(found)) this.#old.add(name);
    if (!this.#chosen || method === "auto") this.#choose(method);
    else this.#choose(this.#chosen);
  }

  #forget(method) {
    delete this.#found[method];
    delete this.#failed[method];
    this.#old.delete(method);
  }

  /** Settings that decide what methods see have changed: what they found is older. */
  async #change(names) {
    const { about } = await parameters();
    if (!names.some((name) => about.get(name)?.for_estimate)) return;
    for (const name of this.#searched) this.#old.add(name);
    this.#fill();
  }

  #row(method) {
    const radio = element("input", { type: "radio", name: "axis-method-chosen", value: method, class: "visually-hidden", "aria-label": method, change: () => this.#choose(method) });
    const cells = ["", "", ""].map(() => element("td", { class: "number" }));
    const row = element("tr", { "data-method": method, click: () => (radio.checked = true) && this.#choose(method) }, element("td", {}, element("label", {}, radio, method)), ...cells);
    this.#rows.set(method, { row, cells, radio });
    return row;
  }

  #fill() {
    for (const [method, { row, cells }] of this.#rows) {
      const one = this.#found[method], text = (key) => (typeof one?.[key] === "number" ? one[key].toFixed(2) : "");
      const texts = method === this.#running ? ["…", "", ""] : one ? ["axis-px", "uncertainty-px", "tilt-degrees"].map(text) : method in this.#failed ? ["✕", "", ""] : ["", "", ""];
      cells.forEach((cell, i) => (cell.textContent = texts[i]));
      row.classList.toggle("is-old", this.#old.has(method));
      row.title = this.#old.has(method) ? "Older than the settings" : this.#failed[method] ?? "";
    }
    const isBusy = this.#running !== null;
    this.#stop.hidden = !isBusy;
    this.#find.hidden = this.#all.hidden = isBusy;
    const [text, tone] = this.#sentence();
    if (this.#line.textContent !== text) this.#line.textContent = text;
    this.#line.dataset.tone = tone;
    const one = this.#found[this.#chosen];
    this.#take.disabled = !one || typeof one["axis-px"] !== "number" || (isBusy && this.#old.has(this.#chosen));
  }

  #sentence() {
    if (this.#running !== null) return [`Working: ${this.#running}`, ""];
    if (this.#chosen in this.#failed) return [`✕ ${this.#failed[this.#chosen]}`, "failure"];
    if (this.#old.size) return ["⚠ What methods found is older than the settings", "warning"];
    const failures = Object.values(this.#failed);
    if (!this.#said[0] && failures.length) return this.#found.auto ? [`⚠ ${failures[0]}`, "warning"] : [`✕ ${failures[0]}`, "failure"];
    return this.#said;
  }

  #choose(method) {
    this.#chosen = method;
    for (const [name, { row, radio }] of this.#rows) {
      row.setAttribute("aria-selected", String(name === method));
      radio.checked = name === method;
    }
    const one = typeof this.#found[method]?.["axis-px"] === "number" ? this.#found[method] : null;
    this.#tilted.disabled = typeof one?.["tilt-degrees"] !== "number";
    this.#draw(one);
    this.#fill();
  }

  #draw(one) {
    const curve = one?.curve?.["axis-px"]?.length ? one.curve : null;
    const rows = (one?.rows ?? []).filter((row) => ["row-px", "axis-px", "uncertainty-px"].every((key) => typeof row[key] === "number"));
    this.#curveRoom.hidden = !curve;
    this.#rowsRoom.hidden = !rows.length;
    this.#none.hidden = Boolean(curve);
    const axis = one?.["axis-px"], mark = { at: axis, text: axis?.toFixed(2) };
    if (curve) {
      this.#curveTitle.textContent = `What ${curve.method} compares, row ${Math.floor(curve["row-px"])}`;
      this.#curve.show({ lines: [{ x: curve["axis-px"], y: curve.value }], marks: [mark], said: `${axis.toFixed(2)} is chosen` });
    } else this.#curve.clear();
    if (rows.length) {
      this.#rowsTitle.textContent = `Axis in each row: points; ${axis.toFixed(2)}: line`;
      this.#axes.show({ points: rows.map((row) => ({ x: row["axis-px"], y: row["row-px"], spread: row["uncertainty-px"] })), marks: [{ at: axis }], said: `${rows.length} rows` });
    } else this.#axes.clear();
  }

  #takeChosen() {
    const one = this.#found[this.#chosen], tilt = one["tilt-degrees"];
    this.#frame.settings.takeAxis(one["axis-px"], { uncertainty: one["uncertainty-px"] ?? null, roll: this.#tilted.checked && typeof tilt === "number" ? tilt : null });
  }
}
