// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Results: volumes of jobs that are done, by slices, in perspective, and two beside each other.

import { get } from "../api.js";
import { events } from "../events.js";
import { element } from "../parts/dom.js";
import { button, emptyPage, nextButton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { textOf } from "../viewer/levels.js";
import { share } from "./results-share.js";
import { ResultView } from "./results-view.js";

/** Addresses: #/results, #/results/JOB/NUMBER[/TAB], #/results/JOB/NUMBER/compare/JOB/NUMBER. */
export class Place {
  #frame;
  #room;
  #shown = ""; // address of what is opened
  #known = null; // whether there are any results

  constructor(room, frame) {
    [this.#room, this.#frame] = [room, frame];
    room.classList.add("results");
    this.table = new Table(element("div"), {
      label: "Results", limit: 50, marks: true, empty: "There is no such result.", key: (item) => `${item.job}/${item.number}`,
      columns: [{ name: "name", title: "Result", cell: cellOf }],
      filters: [{ name: "search", title: "Search" }],
      load: ({ offset, limit, search }, signal) => get("results", { query: { offset, limit, search }, signal }),
    });
    this.both = button("Compare", () => this.#compare(), { disabled: true, title: "Two results that are marked in the list" });
    this.share = button("Share", () => share(this.view.result), { title: "A link for somebody without a login", id: "share" });
    this.share.hidden = frame.person?.role === "viewer";
    const side = element("div", { class: "results-side" }, this.table.element, element("div", { class: "buttons" }, this.both));
    this.columns = element("div", { class: "columns with-side" }, side);
    this.view = new ResultView(this.columns, { actions: [this.share] });
    this.empty = emptyPage("Volumes that you reconstruct are listed here. A scan is the first step.",
      nextButton("Reconstruct volume", () => frame.open("reconstruct")), button("Open scan", () => frame.open("scans")));
    this.empty.hidden = true;
    room.append(element("h1", { class: "visually-hidden" }, "Results"), this.empty, this.columns);
    this.table.addEventListener("choose", ({ detail: { item } }) => this.#go(item.job, item.number));
    this.table.addEventListener("open", () => this.view.element.querySelector("canvas")?.focus());
    this.table.addEventListener("marks", ({ detail: { items } }) => (this.both.disabled = items.length !== 2));
    this.table.addEventListener("page", ({ detail }) => this.#listed(detail));
    this.view.addEventListener("tab", ({ detail }) => this.#turned(detail));
    events.on("jobs", (jobs) => jobs.some(({ state }) => state === "done") && this.#refresh());
    for (const kind of ["gone", "stale"]) events.on(kind, () => this.#refresh());
  }

  /** Where nobody looks, show() does it. The first result ever is opened. */
  async #refresh() {
    if (this.#room.hidden) return;
    await this.table.refresh();
    if (!this.#shown && !this.table.values.search) this.#openNewest();
  }

  async show(parts) {
    this.#room.hidden = false;
    await this.table.refresh();
    const [job, number = "0", tab = null, ...other] = parts;
    if (job === undefined) return this.#openNewest();
    const address = parts.join("/");
    this.table.choose(`${job}/${number}`);
    if (address === this.#shown) return;
    const isSame = this.#shown.split("/").slice(0, 2).join("/") === `${job}/${number}`;
    this.#shown = address;
    if (tab === "compare" && other.length === 2) await this.view.compare([job, number], other);
    else if (isSame && this.view.source && tab) this.view.tabs.show(tab, true);
    else await this.view.open(job, number, { tab });
  }

  hide() {
    this.#room.hidden = true;
    this.view.rest();
  }

  #listed({ total }) {
    const isFirst = this.#known === null;
    if (total || isFirst) this.#known = total > 0 || (!isFirst && this.#known);
    this.empty.hidden = this.#known || this.#shown !== "";
    this.columns.hidden = !this.empty.hidden;
  }

  /** The newest result is opened where nothing was chosen yet. */
  #openNewest() {
    if (this.#shown) history.replaceState(null, "", `#/results/${this.#shown}`);
    else if (this.table.items.length) this.#frame.open("results", this.table.items[0].job, this.table.items[0].number);
  }

  #go(job, number) {
    if (!this.#shown.startsWith(`${job}/${number}`) || this.#shown.includes("compare")) this.#frame.open("results", job, number);
  }

  #turned(tab) {
    if (!this.view.result || tab === "compare") return;
    const { job, number } = this.view.result;
    this.#shown = `${job}/${number}/${tab}`;
    history.replaceState(null, "", `#/results/${this.#shown}`);
  }

  #compare() {
    const [first, second] = this.table.marked;
    this.#frame.open("results", first.job, first.number, "compare", second.job, second.number);
  }
}

/** What a file is called, when it was made and of what, and how. */
function cellOf(item) {
  const when = item.ended ? new Date(1000 * item.ended).toLocaleString("sv-SE").slice(0, 16) : "";
  const more = [when, item.bytes === null ? "the file is gone" : `${textOf(item.bytes / 1e6, 3)} MB`, item.title].filter(Boolean).join("  ");
  return element("div", { class: "two-lines", title: [item.name, more, item.summary].join("\n") }, element("div", {}, item.name),
    element("div", { class: "faint" }, more), element("div", { class: "faint summary" }, item.summary));
}
