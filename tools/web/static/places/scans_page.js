// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of one data set: its images, what is known about it, and what people wrote.

import { patch, remove } from "../api.js";
import { ask as askFor, confirm } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { button, nextButton } from "../parts/states.js";
import { showFacts, FindingsList } from "./scans_facts.js";
import { Film } from "./scans_film.js";
import { tagsOf } from "./scans_words.js";

export class DataSetPage {
  #room;
  #columns;
  #frame;
  #film;
  #facts = element("dl", { class: "facts" });
  #findings;
  #tags = element("input", { id: "dataset-tags", class: "form-control", maxlength: 2000, autocomplete: "off",
    input: () => this.#typed.add(this.#tags), change: () => this.#save({ tags: tagsOf(this.#tags.value) }, this.#tags) });
  #notes = element("textarea", { id: "dataset-notes", class: "form-control", rows: 4, maxlength: 20000,
    input: () => this.#typed.add(this.#notes), change: () => this.#save({ notes: this.#notes.value }, this.#notes) });
  #said = element("p", { class: "wrong", role: "alert" });
  #find;
  #rename;
  #remove;
  #dataset = null;
  #wanted = null; // its number
  #typed = new Set(); // fields that somebody writes in: no answer of the server takes words away
  #saving = Promise.resolve();

  constructor(room, frame) {
    this.#room = room;
    this.#frame = frame;
    this.#findings = new FindingsList(frame);
    this.#find = nextButton("Find axis", () => frame.open("axis", this.#dataset.id), { id: "find-axis" });
    this.#rename = button("Rename…", () => this.#askName(), { class: "btn small" });
    this.#remove = button("Remove…", () => this.#askRemove(), { class: "btn small danger" });
    const side = element("div", { class: "side" },
      element("div", { class: "toolbar" }, button("All scans", () => frame.open("scans"), { class: "btn small" }), this.#rename, this.#remove),
      this.#findings.element, this.#facts,
      element("div", { class: "field" }, element("label", { for: "dataset-tags", class: "form-label" }, "Tags"), this.#tags,
        element("div", { class: "form-text" }, "With commas between them")),
      element("div", { class: "field" }, element("label", { for: "dataset-notes", class: "form-label" }, "Notes"), this.#notes), this.#said);
    const picture = element("div", { class: "picture" });
    this.#columns = element("div", { class: "columns with-side", hidden: true }, picture, side);
    room.append(this.#columns);
    this.#film = new Film(picture, frame, this.#find);
    frame.addEventListener("dataset", () => this.#know());
  }

  /** Until the data set has come nothing is to be seen, and to be pressed, that is of another one. */
  async show(number) {
    this.#wanted = number;
    this.#room.hidden = false;
    this.#columns.hidden = this.#dataset?.id !== number;
    const isKnown = this.#frame.dataset?.id === number;
    await this.#frame.choose(number);
    if (isKnown) await this.#frame.refresh(); // its files may have changed
    else this.#know();
    if (this.#dataset?.id === number && this.#wanted === number) this.#film.show(this.#dataset);
  }

  hide() {
    this.#wanted = null;
    this.#room.hidden = true;
    this.#film.hide();
  }

  #know() {
    const dataset = this.#frame.dataset;
    if (!dataset || dataset.id !== this.#wanted) return;
    this.#columns.hidden = false;
    if (this.#dataset?.id !== dataset.id) this.#typed.clear();
    const isOther = this.#dataset?.id !== dataset.id || this.#dataset.version !== dataset.version, files = this.#dataset?.stamp;
    const hasOtherFiles = this.#dataset?.id === dataset.id && files !== dataset.stamp;
    this.#dataset = dataset;
    showFacts(this.#facts, dataset);
    this.#findings.show(dataset);
    this.#find.disabled = !dataset.facts;
    for (const input of [this.#tags, this.#notes]) input.readOnly = !dataset.may_change;
    for (const one of [this.#rename, this.#remove]) one.hidden = !dataset.may_change;
    if (isOther) {
      if (!this.#typed.has(this.#tags)) this.#tags.value = dataset.tags.join(", ");
      if (!this.#typed.has(this.#notes)) this.#notes.value = dataset.notes;
      this.#said.textContent = "";
    }
    if (hasOtherFiles) this.#film.show(dataset);
  }

  /** One change behind the other, each of what is shown then. */
  #save(change, field) {
    this.#typed.delete(field);
    const { id } = this.#dataset;
    this.#saving = this.#saving.then(() => this.#saveNow(id, change));
  }

  /** Where somebody else has changed it meanwhile, nothing is lost: both texts are to be seen. */
  async #saveNow(id, change) {
    this.#said.textContent = "";
    const isShown = () => this.#frame.dataset?.id === id;
    try {
      const dataset = await patch(`datasets/${id}`, { ...change, ...(isShown() ? { version: this.#dataset.version } : {}) });
      if (isShown()) this.#frame.update(dataset);
    } catch (error) {
      const isOld = error.status === 409;
      if (isOld && isShown()) await this.#frame.refresh();
      this.#said.textContent = isOld ? "Not saved: somebody else has changed this data set, which is shown as it is now. "
        + `You wrote: ${change.notes ?? change.tags.join(", ")}` : error.message;
    }
  }

  async #askName() {
    await askFor("Rename data set", [{ name: "name", label: "Name", value: this.#dataset.name, required: true }], { send: async ({ name }) => {
      this.#frame.update(await patch(`datasets/${this.#dataset.id}`, { name }));
    } });
  }

  async #askRemove() {
    const { id, name } = this.#dataset;
    if (!(await confirm("Its files stay.", { title: `Remove ${name}?`, button: "Remove", danger: true }))) return;
    try {
      await remove(`datasets/${id}`);
      await this.#frame.choose(null);
      this.#frame.open("scans");
    } catch (error) {
      this.#said.textContent = error.message;
    }
  }
}
