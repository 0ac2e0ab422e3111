// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// One result: slices, volume, facts, report, downloads; and two compared. The place Results has it, and the page of a shared link.

import { address, get } from "../api.js";
import { element } from "../parts/dom.js";
import { menuButton } from "../parts/menu.js";
import { StateLine } from "../parts/states.js";
import { Tabs } from "../parts/tabs.js";
import { CompareView } from "../viewer/compare.js";
import { textOf } from "../viewer/levels.js";
import { lengthText } from "../viewer/scalebar.js";
import { SliceView } from "../viewer/slices.js";
import { Source } from "../viewer/source.js";
import { VolumeView } from "../viewer/volume.js";

const TABS = { slices: "Slices", volume: "Volume", compare: "Compare", facts: "Facts", report: "Report" };

/** Emits "tab" (detail: its name) where a person turned to another one, and "opened". `actions` are elements beside the downloads. */
export class ResultView extends EventTarget {
  #views = {};
  #turn = 0;
  #which = 0;
  #pair = null; // results to compare
  #compared = null; // those that are
  result = null; // as the server tells it
  source = null;

  constructor(container, { actions = [] } = {}) {
    super();
    this.state = new StateLine("Choose a result in the list.");
    this.state.element.id = "results-state";
    this.tabs = new Tabs("Result", TABS, (name) => {
      this.#turnTo(name);
      this.dispatchEvent(new CustomEvent("tab", { detail: name }));
    });
    this.which = element("input", { type: "number", class: "form-control", min: 0, value: 0, "aria-label": "Volume of the file",
                                    title: "A scan of several turns has a volume of each", change: () => this.#takeOther() });
    this.whichLabel = element("label", { class: "result-which", hidden: true }, "Volume ", this.which);
    this.downloads = menuButton("Download", [
      ["HDF5, the file as it is", () => this.#download("file")],
      ["TIFFs in a zip", () => this.#download("zip")],
      ["TIFFs in a zip, 16 bit, window as it is seen", () => this.#download("zip", { samples: "uint16", ...this.#window() })],
      null,
      ["PNG of this slice, all samples", () => this.#downloadSlice()],
    ], { class: "btn next dropdown-toggle", id: "download" });
    const corner = element("div", { class: "result-corner" }, this.whichLabel, ...actions, this.downloads);
    this.element = element("div", { class: "result-view" }, corner, this.tabs.element, this.state.element);
    container.append(this.element);
    this.#setDisabled(true);
    for (const name of ["compare", "report"]) this.tabs.setHidden(name, true);
  }

  #setDisabled(isDisabled) {
    for (const one of this.element.querySelectorAll(".result-corner .btn")) one.disabled = isDisabled;
  }

  // What is opened

  /** Opens the result of a job; resolves when its first picture is asked for. Throws nothing: errors are told below the picture. */
  async open(job, number, { tab = null, which = 0 } = {}) {
    const turn = ++this.#turn;
    this.#pair = null;
    this.#which = which;
    this.state.working(`Open result ${number} of job ${job}`);
    try {
      const [result, source] = await Promise.all([get(`results/${job}/${number}`), Source.open(job, number, which)]);
      if (turn !== this.#turn) return;
      this.#take(result, source);
      this.tabs.setHidden("compare", true);
      if (tab && tab in TABS && tab !== "compare") this.tabs.show(tab);
      this.#turnTo(this.tabs.chosen);
      this.state.done(this.#line());
      this.dispatchEvent(new Event("opened"));
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#take(null, null);
      this.state.failed(error.message);
    }
  }

  /** Opens two results to compare them: pairs of a job and a number. */
  async compare(first, second) {
    const turn = ++this.#turn;
    this.state.working("Open two results");
    try {
      const [results, sources] = await Promise.all([Promise.all([first, second].map(([job, number]) => get(`results/${job}/${number}`))),
                                                    Promise.all([first, second].map(([job, number]) => Source.open(job, number)))]);
      if (turn !== this.#turn) return;
      this.#take(results[0], sources[0]);
      this.#pair = { results, sources };
      this.tabs.setHidden("compare", false);
      this.tabs.show("compare");
      this.#turnTo("compare");
      const same = String(sources[0].shape) === String(sources[1].shape);
      this.state[same ? "done" : "stale"](same ? results.map((one) => one.name).join(" and ")
        : `The volumes differ in size: ${sources.map(sizeOf).join(" and ")}. The same place is shown of both.`);
      this.dispatchEvent(new Event("opened"));
    } catch (error) {
      if (turn === this.#turn) this.state.failed(error.message);
    }
  }

  #take(result, source) {
    this.result = result;
    this.source = source;
    this.#setDisabled(!result);
    this.tabs.setHidden("report", !result?.has_report);
    this.whichLabel.hidden = !source || source.volumes < 2;
    if (source) {
      this.which.max = source.volumes - 1;
      this.which.value = this.#which;
      source.addEventListener("changed", ({ detail }) => this.#changed(source, detail));
    } else {
      for (const view of Object.values(this.#views)) view.setSource?.(null);
    }
    if (this.#views.facts) this.#views.facts.remove();
    if (this.#views.report) this.#views.report.remove();
    delete this.#views.facts;
    delete this.#views.report;
  }

  /** The file is another one now, or there is none. */
  async #changed(source, error) {
    if (source !== this.source) return;
    if (error.status !== 409) return this.state.failed(error.message);
    await this.open(this.result.job, this.result.number, { which: this.#which });
    if (this.source) this.state.done(`The file has changed, and was opened again. ${this.#line()}`);
  }

  #takeOther() {
    const which = Math.min(Math.max(Number(this.which.value) || 0, 0), this.source.volumes - 1);
    this.open(this.result.job, this.result.number, { which });
  }

  #line() {
    const { name } = this.result;
    return `${name}   ${sizeOf(this.source)}`;
  }

  // Tabs

  #turnTo(name) {
    if (name !== "slices") this.#views.slices?.stop();
    if (name !== "compare") this.#views.compare?.rest();
    if (!this.source) return;
    const stem = this.result.name.replace(/\.[^.]*$/, "");
    if (name === "slices" || name === "volume") {
      const view = (this.#views[name] ??= this.#made(name));
      view.name = stem;
      if (view.source !== this.source) view.setSource(this.source, factsOf(this.result, this.source));
    } else if (name === "compare" && this.#pair) {
      const view = (this.#views.compare ??= this.#made("compare"));
      if (this.#compared !== this.#pair) view.setSources(this.#pair.sources, this.#pair.results.map((one) => one.name));
      this.#compared = this.#pair;
    } else if (name === "facts") this.#views.facts ??= this.#showFacts();
    else if (name === "report") this.#views.report ??= this.#showReport();
  }

  #made(name) {
    const kinds = { slices: SliceView, volume: VolumeView, compare: CompareView };
    const view = new kinds[name](this.tabs.panels[name]);
    view.addEventListener("failed", ({ detail }) => detail.status === 409 || this.state.failed(detail.message));
    view.addEventListener("said", ({ detail }) => this.state.done(detail || this.#line()));
    return view;
  }

  get slices() {
    return this.#views.slices;
  }

  #showFacts() {
    const { result, source } = this, list = (lines) => element("dl", { class: "facts" },
      ...lines.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
    const part = (title, lines) => (lines.length ? [element("h2", {}, title), list(lines)] : []);
    const pairs = (lines) => lines.map(({ name, value }) => [name, value]);
    const made = element("div", { class: "result-facts" },
      ...part("Result", linesOf(result, source)), ...part("Found out", pairs(result.found)), ...part("Settings", Object.entries(result.settings)),
      ...part("Made by", pairs(result.provenance)));
    this.tabs.panels.facts.append(made);
    return made;
  }

  /** The page that the program wrote: it runs nothing, here least of all. */
  #showReport() {
    const made = element("iframe", { class: "result-report", sandbox: "", title: "Report of the reconstruction",
                                     src: address(`results/${this.result.job}/${this.result.number}/report`) });
    this.tabs.panels.report.append(made);
    return made;
  }

  // Downloads

  #window() {
    const [low, high] = this.#views.slices?.levels ?? [0, 1];
    return { low, high };
  }

  #download(what, query = {}) {
    const { job, number } = this.result, href = address(`results/${job}/${number}/${what}`, { which: this.#which || undefined, ...query });
    element("a", { href, download: "" }).click();
  }

  #downloadSlice() {
    const plane = this.#views.slices?.active;
    this.#download("png", { axis: plane?.axis ?? 0, index: plane?.index ?? 0, ...this.#window() });
  }

  /** The place is left: nothing goes on by itself. */
  rest() {
    this.#views.slices?.stop();
    this.#views.compare?.rest();
  }
}

/** 1024 x 1024 x 60, uint16 */
function sizeOf(source) {
  return `${[...source.shape].reverse().join(" x ")}, ${source.facts.type}`;
}

/** For the corner beside the slices. */
function factsOf(result, source) {
  return [result.name, sizeOf(source), source.pixelSize ? `sample ${lengthText(source.pixelSize, 4)}` : "", result.title].filter(Boolean);
}

function linesOf(result, source) {
  const [depth, rows, columns] = source.shape, size = source.pixelSize;
  const when = result.ended && new Date(1000 * result.ended).toLocaleString("sv-SE");
  return [["File", result.place ?? result.name], ["Size", `${columns} x ${rows} x ${depth}`], ["Samples", source.facts.type],
          size && ["Pixel size", lengthText(size, 6)], size && ["Extent", [columns, rows, depth].map((one) => lengthText(one * size, 4)).join(" x ")],
          result.bytes !== null && ["Bytes", `${textOf(result.bytes / 1e6)} MB`], ["Resolutions", source.levels.filter((level) => level.stored).length],
          ["Job", `${result.job}: ${result.title}`], result.dataset && ["Data set", result.dataset], ["Owner", result.owner], when && ["Made", when],
          result.status !== "done" && ["State", result.status]].filter(Boolean);
}
