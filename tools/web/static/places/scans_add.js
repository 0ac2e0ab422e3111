// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Dialogs that make data sets: of a scan, of chosen projections, darks and flats, or of all scans in a folder tree.

import { post } from "../api.js";
import { formField, show } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { FolderBrowser } from "../parts/folders.js";
import { button } from "../parts/states.js";
import { tagsOf } from "./scans_words.js";

const FIRST = "Choose a file, or a folder of images.";
const PARTS = [["projections", "Projections"], ["darks", "Darks"], ["flats", "Flats"], ["flats2", "Flats after"], ["angles", "Angles"]];

/** Asks which files, and makes a data set of them; resolves to it, or to null. */
export async function addDataSet() {
  const made = new NewDataSet();
  made.browser.open();
  let dataset = null;
  const accept = async () => Boolean(dataset = await made.send());
  await show("Add data set", made.content, [{ text: "Cancel", value: null }, { text: "Add", value: true, next: true }], { wide: true, accept });
  return dataset;
}

class NewDataSet {
  #scan = element("output", { class: "chosen-place" }, FIRST);
  #places = {};
  #takes = [];
  #name = formField({ name: "name", label: "Name", hint: "That of the file where it is empty" });
  #tags = formField({ name: "tags", label: "Tags", hint: "With commas between them" });
  #entry = formField({ name: "entry", label: "Entry", hint: "Path of a group, where a file has several scans" });
  #range = formField({ name: "range", label: "Range of angles", type: "number", hint: "deg, where no file has angles", attributes: { step: "any" } });
  #said = element("p", { class: "wrong", role: "alert" });
  #apart = element("details", { class: "apart", toggle: () => this.#choose() });

  constructor() {
    const room = element("div", { class: "browser-room" });
    this.browser = new FolderBrowser(room);
    this.browser.addEventListener("choose", () => this.#choose());
    this.#apart.append(element("summary", {}, "Projections, darks and flats are apart"), ...PARTS.map(([name, title]) => this.#part(name, title)), this.#range.element);
    this.content = [room, this.#scan, this.#apart,
      element("div", { class: "fields" }, this.#name.element, this.#tags.element, this.#entry.element), this.#said];
  }

  /** The data set, or null where something is wrong, which is told. */
  async send() {
    this.#said.textContent = "";
    const isApart = this.#apart.open;
    if (!isApart && !this.browser.wanted) return this.#tell("Choose a file or a folder first.");
    if (isApart && !this.#places.projections) return this.#tell("Take projections first.");
    const values = { ...(this.#entry.value() ? { entry: this.#entry.value() } : {}),
      ...(isApart && this.#range.value() ? { "range-degrees": Number(this.#range.value()) } : {}) };
    try {
      return await post("datasets", { places: isApart ? this.#places : { scan: this.browser.wanted }, values, name: this.#name.value() || null,
        tags: tagsOf(this.#tags.value()) });
    } catch (error) {
      return this.#tell(error.message);
    }
  }

  #tell(text) {
    this.#said.textContent = text;
    return null;
  }

  #choose() {
    const place = this.browser.wanted;
    this.#scan.textContent = place || FIRST;
    for (const take of this.#takes) take.disabled = !place;
  }

  #part(name, title) {
    const place = element("output", { class: "chosen-place" }, "none");
    const take = button(`Take as ${title.toLowerCase()}`, () => {
      this.#places[name] = place.textContent = this.browser.wanted;
      without.hidden = false;
    }, { class: "btn small", disabled: true });
    const without = button("Without", () => {
      delete this.#places[name];
      place.textContent = "none";
      without.hidden = true;
    }, { class: "btn small", hidden: true, "aria-label": `Without ${title.toLowerCase()}` });
    this.#takes.push(take);
    return element("div", { class: "part" }, take, place, without);
  }
}

/** Asks for a folder, and begins to look through it; resolves to the ingest, or to null. */
export async function addTree() {
  const room = element("div", { class: "browser-room" }), said = element("p", { class: "wrong", role: "alert" });
  const browser = new FolderBrowser(room), tags = formField({ name: "tags", label: "Tags of all of them", hint: "With commas between them" });
  const which = element("output", { class: "chosen-place" });
  const place = () => (browser.chosen?.kind === "folder" ? browser.chosen.place : browser.place);
  browser.addEventListener("choose", () => {
    which.textContent = place() ? `All scans in ${place()} and in the folders below become data sets.` : "Choose a folder.";
  });
  browser.open();
  let ingest = null;
  const accept = async () => {
    try {
      ingest = await post("ingests", { place: place(), tags: tagsOf(tags.value()) });
      return true;
    } catch (error) {
      said.textContent = place() ? error.message : "Choose a folder first.";
      return false;
    }
  };
  await show("Add folder tree", [room, which, tags.element, said], [{ text: "Cancel", value: null }, { text: "Add", value: true, next: true }], { wide: true, accept });
  return ingest;
}
