// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Uploads of scans: chosen files and folders, how far they are, and those of an earlier page.

import { ask, get, post } from "../api.js";
import { element } from "../parts/dom.js";
import { button, StateLine } from "../parts/states.js";
import { UploadGroup } from "../parts/upload.js";
import { bytesText } from "../parts/words.js";
import { show } from "../parts/dialog.js";

const SCANS = /\.(h5|hdf5|hdf|nxs|nx|txrm)$/i; // files that are a scan each
const HIDDEN = /(^|\/)\./;

/** added: called where data sets have come; follow: with an ingest that has begun; note: for messages */
export class UploadPart {
  #added;
  #follow;
  #note;
  #list = element("ul", { class: "upload-list" });
  #files = input({ multiple: true }, (files) => this.#take(files));
  #folder = input({ webkitdirectory: true }, (files) => this.#take(files));
  #rows = new Map(); // by title: {row, group}
  element = element("div", { class: "upload-line", hidden: true }, this.#list, this.#files, this.#folder);

  constructor({ added, follow, note }) {
    this.#added = added;
    this.#follow = follow;
    this.#note = note;
    window.addEventListener("beforeunload", (event) => {
      if ([...this.#rows.values()].some(({ group }) => group?.state === "running")) event.preventDefault();
    });
  }

  /** Asks for files or a folder. */
  async open() {
    const which = await show("Upload", [element("p", {}, "Files of scans (HDF5, .txrm) become a data set each, a folder of images becomes one. "
      + "What is broken off goes on later. Archives are not unpacked: choose what is in them.")],
    [{ text: "Cancel", value: null }, { text: "Folder…", value: "folder" }, { text: "Files…", value: "files", next: true }]);
    if (which) (which === "files" ? this.#files : this.#folder).click();
  }

  /** Lists what an earlier page has begun. */
  async resume() {
    const known = await get("uploads");
    const titles = new Set(known.map(({ name }) => titleOf(name)));
    for (const title of titles) {
      if (this.#rows.has(title)) continue;
      const its = known.filter(({ name }) => titleOf(name) === title), isFolder = its.some(({ name }) => name.includes("/"));
      this.#showOld(title, its, isFolder);
    }
    for (const [title, { group }] of this.#rows) if (!group && !titles.has(title)) this.#drop(title);
  }

  async #take(files) {
    const wanted = files.map((file) => ({ file, name: file.webkitRelativePath || file.name })).filter(({ name }) => !HIDDEN.test(name));
    const known = await get("uploads", { query: { whole: true } });
    for (const title of new Set(wanted.map(({ name }) => titleOf(name)))) {
      if (["running", "paused"].includes(this.#rows.get(title)?.group?.state)) continue; // it is on its way
      this.#begin(title, wanted.filter(({ name }) => titleOf(name) === title), known);
    }
  }

  async #begin(title, files, known) {
    const group = new UploadGroup(title, files, known), line = new StateLine();
    const pause = button("Pause", () => (group.state === "running" ? group.pause() : go()), { class: "btn small" });
    const end = button("Give up", () => this.#giveUp(title, group), { class: "btn small" });
    const row = element("li", {}, element("span", { class: "name" }, title), line.element, pause, end);
    group.addEventListener("change", () => {
      showState(line, group);
      pause.textContent = group.state === "running" ? "Pause" : group.state === "paused" ? "Go on" : "Try again";
      pause.hidden = group.state === "done";
      end.textContent = group.state === "done" ? "Close" : "Give up";
    });
    this.#put(title, row, group);
    const go = async () => {
      await group.start();
      if (group.state === "done") await this.#finish(title, group, line);
    };
    await go();
  }

  /** Whole files become data sets. */
  async #finish(title, group, line) {
    const [first] = group.places, isFolder = first.split("/").length > 3;
    try {
      if (isFolder) this.#follow(await post("ingests", { place: first.split("/").slice(0, 3).join("/") }));
      else if (SCANS.test(title)) await this.#make(first, group, line);
      else line.done(`${first}, ${bytesText(group.total)}: Add data set finds it there`);
      if (isFolder) this.#drop(title);
      await this.#added();
    } catch (error) {
      line.failed(error.message);
      this.#note("error", `${title}: ${error.message}`);
    }
  }

  /** A data set of a file, with the way to it. */
  async #make(place, group, line) {
    const { id } = await post("datasets", { places: { scan: place } });
    line.done(`data set ${id}, ${bytesText(group.total)}`);
    line.element.append(element("a", { href: `#/scans/${id}` }, "Show"));
  }

  async #giveUp(title, group) {
    if (group.state !== "done") await group.giveUp();
    this.#drop(title);
  }

  #showOld(title, known, isFolder) {
    const came = sum(known.map(({ offset }) => offset)), all = sum(known.map(({ length }) => length)), what = isFolder ? "folder" : "file";
    const row = element("li", {}, element("span", { class: "name" }, title),
      element("span", { class: "faint" }, `${bytesText(came)} of ${bytesText(all)} are here: choose the same ${what} again to go on`),
      button("Go on…", () => (isFolder ? this.#folder : this.#files).click(), { class: "btn small" }),
      button("Give up", async () => {
        await Promise.all(known.map(({ id }) => ask("DELETE", `uploads/${id}`, { headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {})));
        this.#drop(title);
      }, { class: "btn small" }));
    this.#put(title, row, null);
  }

  #put(title, row, group) {
    this.#rows.get(title)?.row.remove();
    this.#rows.set(title, { row, group });
    this.#list.append(row);
    this.element.hidden = false;
  }

  #drop(title) {
    this.#rows.get(title)?.row.remove();
    this.#rows.delete(title);
    this.element.hidden = !this.#rows.size;
  }
}

function showState(line, group) {
  const { state, done, total, rate, error } = group, far = `${bytesText(done)} of ${bytesText(total)}`;
  if (state === "running") {
    const left = rate > 0 ? `, ${bytesText(rate)}/s, ${Math.ceil((total - done) / rate)} s left` : "";
    line.working(`${far}${left}`, { done, total });
  } else if (state === "failed") line.failed(`${error}; ${far} have come`);
  else if (state === "paused") line.stale(`paused, ${far}`);
  else line.done(far);
}

/** What belongs together: a folder by its name, else each file. */
function titleOf(name) {
  return name.split("/")[0];
}

function sum(numbers) {
  return numbers.reduce((all, one) => all + one, 0);
}

function input(attributes, chosen) {
  const made = element("input", { type: "file", hidden: true, "aria-hidden": "true", tabindex: -1, ...attributes, change: () => {
    chosen([...made.files]);
    made.value = ""; // the same one can be chosen again
  } });
  return made;
}
