// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known about a data set: its facts, and findings with what can be done about them.

import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";

const SIGNS = { error: ["✕ ERROR", "failure"], warning: ["⚠ WARNING", "warning"], info: ["● INFO", "good"] };
const NOT_SET = ["sinograms", "ignore"]; // no settings of a reconstruction

/** Fills a <dl>. */
export function showFacts(list, dataset) {
  const lines = [...dataset.lines, ["Place", dataset.place], ["Owner", dataset.owner]];
  list.replaceChildren(...lines.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

/** The worst first. `element` goes into the page. */
export class FindingsList {
  #frame;
  #title = element("h2");
  #list = element("div");
  #dataset = null;
  #shown = "";
  #ignores = new Map(); // buttons by names of findings

  constructor(frame) {
    this.#frame = frame;
    this.element = element("div", { class: "findings" }, this.#title, this.#list);
    frame.settings.addEventListener("change", () => this.#mark());
  }

  show(dataset) {
    this.#dataset = dataset;
    const { findings, problem } = dataset, shown = JSON.stringify([dataset.id, findings, problem]);
    if (shown === this.#shown) return; // a button that somebody presses right now stays
    this.#shown = shown;
    this.#ignores.clear();
    this.#title.textContent = problem ? "It can't be read" : findings.length ? `Findings: ${findings.length}` : "Nothing is wrong";
    const all = problem ? [{ name: "problem", severity: "error", text: problem, advice: "", parameters: [] }] : findings;
    this.#list.replaceChildren(...all.map((finding) => this.#finding(finding)));
    this.#mark();
  }

  #mark() {
    const ignored = this.#ignored();
    for (const [name, one] of this.#ignores) one.setAttribute("aria-pressed", String(ignored.includes(name)));
  }

  #finding({ name, severity, text, advice, parameters }) {
    const [sign, tone] = SIGNS[severity];
    const actions = [];
    if (severity === "error" && name !== "problem") { // a file that can't be read is no matter of opinion
      const one = button("Ignore", () => this.#ignore(name), { class: "btn small",
        title: "The reconstruction goes on all the same" });
      this.#ignores.set(name, one);
      actions.push(one);
    }
    for (const parameter of parameters.filter((one) => !NOT_SET.includes(one))) {
      actions.push(button(`Set ${parameter}…`, () => this.#set(parameter), { class: "btn small" }));
    }
    return element("div", { class: "finding", id: `finding-${name}` }, element("span", { "data-tone": tone }, sign), element("p", {}, text),
      element("p", { class: "faint" }, advice), element("div", { class: "toolbar" }, ...actions));
  }

  #ignored() {
    return (this.#frame.settings.values.ignore ?? "").split(",").map((one) => one.trim()).filter(Boolean);
  }

  async #ignore(name) {
    await this.#frame.settings.saved(); // also what was pressed before
    const names = this.#ignored();
    this.#frame.settings.set("ignore", (names.includes(name) ? names.filter((one) => one !== name) : [...names, name]).join(","));
  }

  /** Leads to the field: Axis has that of the axis, Reconstruct all others. */
  #set(parameter) {
    this.#frame.wantedField = parameter;
    this.#frame.open(parameter.startsWith("axis") ? "axis" : "reconstruct", this.#dataset.id);
  }
}
