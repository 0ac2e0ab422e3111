// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder tree that becomes data sets: how far it is, and what could not be read.

import { ask, get } from "../api.js";
import { show } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { button, StateLine } from "../parts/states.js";

const PAUSE = 700; // ms between two questions

export class TreeLine {
  #line = new StateLine();
  #problems = button("Show what can't be read", () => this.#showProblems(), { class: "btn small", hidden: true });
  #close = button("Close", () => this.#forget(), { class: "btn small", hidden: true });
  #changed;
  #ingest = null;
  #timer = null;

  /** changed: called where data sets have come */
  constructor(changed) {
    this.#changed = changed;
    this.element = element("div", { class: "tree-line", hidden: true }, this.#line.element, this.#problems, this.#close);
    this.#line.addEventListener("cancel", () => ask("DELETE", `ingests/${this.#ingest.id}`));
  }

  /** Goes on with one that runs, as behind a reload. */
  async resume() {
    if (this.#timer) return;
    const running = (await get("ingests").catch(() => [])).find(({ state }) => state === "running");
    if (running) this.follow(running);
  }

  follow(ingest) {
    if (!ingest) return;
    this.#show(ingest);
    this.rest();
    if (ingest.state === "running") this.#timer = setTimeout(() => this.#look(), PAUSE);
  }

  /** Nobody looks. */
  rest() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #look() {
    try {
      const added = this.#ingest.added.length, ingest = await get(`ingests/${this.#ingest.id}`);
      this.follow(ingest);
      if (ingest.added.length !== added || ingest.state !== "running") await this.#changed();
    } catch (error) {
      this.rest();
      this.#line.failed(error.message);
      this.#close.hidden = false;
    }
  }

  #show(ingest) {
    this.#ingest = ingest;
    this.element.hidden = false;
    const { added, known, folders, problems, more_problems: more, state, error, at, place } = ingest;
    const made = `${count(added.length, "data set")} added, ${known} known already`;
    const wrong = problems.length + more ? `, ${problems.length + more} can't be read` : "";
    if (state === "running") this.#line.working(`${place}: ${count(folders, "folder")} looked through, ${made}${wrong}. Now ${at}`, { cancel: true });
    else if (state === "failed") this.#line.failed(`${place}: ${error}`);
    else this.#line.done(`${place}: ${state === "cancelled" ? "cancelled; " : ""}${made}${wrong}`);
    this.#problems.hidden = !problems.length;
    this.#close.hidden = state === "running";
  }

  #showProblems() {
    const { problems, more_problems: more } = this.#ingest;
    const rows = problems.map(({ place, error }) => element("tr", {}, element("td", {}, place), element("td", {}, error)));
    const table = element("table", { class: "table" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Place"), element("th", { scope: "col" }, "Why"))),
      element("tbody", {}, ...rows));
    show("What can't be read", [element("div", { class: "scroll", tabindex: 0 }, table), element("p", { class: "faint" }, more ? `and ${more} more` : "")], undefined, { wide: true });
  }

  #forget() {
    this.element.hidden = true;
    ask("DELETE", `ingests/${this.#ingest.id}`).catch(() => {}); // over and told
  }
}

function count(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
