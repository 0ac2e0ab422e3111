// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of all data sets, with what makes new ones.

import { address, get, patch, post, remove } from "../api.js";
import { confirm, ask as askFor } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { button, emptyPage, nextButton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { timeText } from "../parts/words.js";
import { addDataSet, addTree } from "./scans_add.js";
import { TreeLine } from "./scans_tree.js";
import { UploadPart } from "./scans_uploads.js";
import { stateWord, STATES, tagsOf } from "./scans_words.js";

const SAMPLE = "samples/savu24737.nxs";

export class DataSetList {
  #room;
  #frame;
  #table;
  #empty;
  #sample;
  #upload;
  #tree;
  #uploads;
  #ofMarked;

  constructor(room, frame) {
    this.#room = room;
    this.#frame = frame;
    this.#table = new Table(room, {
      label: "Data sets", sort: "-created", marks: frame.person.role !== "viewer", empty: "No data set fits.",
      filters: [
        { name: "search", title: "Search names, tags, places" },
        { name: "state", title: "State", options: [["", "All states"], ...Object.keys(STATES).map((name) => [name, STATES[name][0]])] },
        { name: "tag", title: "Tag", options: [["", "All tags"]] },
      ],
      columns: [
        { name: "thumbnail", title: "", cell: thumbnail },
        { name: "name", title: "Name", sorts: true, cell: (one) => element("span", {}, element("a", { href: `#/scans/${one.id}` }, one.name),
          element("span", { class: "faint place" }, one.place)) },
        { name: "size", title: "Size", sorts: true, cell: (one) => one.size ?? one.problem ?? "" },
        { name: "tags", title: "Tags", narrow: "hide", cell: (one) => element("span", { class: "tags" }, ...one.tags.map((tag) => button(
          tag, () => this.#table.filter({ tag }), { class: "btn small tag", title: `Show those with the tag ${tag}` }))) },
        { name: "state", title: "State", sorts: true, cell: stateWord },
        { name: "owner", title: "Owner", sorts: true, narrow: "hide" },
        { name: "created", title: "Added", sorts: true, narrow: "hide", cell: (one) => timeText(one.created) },
      ],
      load: (query, signal) => get("datasets", { query, signal }),
    });
    this.#addActions();
    this.#table.addEventListener("open", ({ detail }) => frame.open("scans", detail.item.id));
    this.#table.addEventListener("marks", () => this.#showMarked());
    this.#table.addEventListener("page", ({ detail }) => this.#showWhatThereIs(detail.total));
  }

  async show() {
    this.#room.hidden = false;
    const isViewer = this.#frame.person.role === "viewer";
    const [folders] = await Promise.all([get("folders"), this.refresh(), isViewer ? null : this.#tree.resume()]);
    this.#sample.hidden = !folders.some(({ name }) => name === "samples");
    const takesUploads = folders.some(({ takes_uploads: takes }) => takes) && !isViewer;
    for (const one of this.#upload) one.hidden = !takesUploads;
    if (takesUploads) await this.#uploads.resume();
  }

  hide() {
    this.#room.hidden = true;
    this.#tree.rest();
  }

  async refresh() {
    const [, tags] = await Promise.all([this.#table.refresh(), get("datasets/tags")]);
    this.#table.setOptions("tag", [["", "All tags"], ...tags.map(({ tag, count }) => [tag, `${tag} (${count})`])]);
  }

  #addActions() {
    const add = async () => this.#opened(await addDataSet());
    const tree = async () => this.#tree.follow(await addTree());
    this.#tree = new TreeLine(() => this.refresh());
    this.#uploads = new UploadPart({ added: () => this.refresh(), follow: (ingest) => this.#tree.follow(ingest), note: (...words) => this.#frame.note(...words) });
    const upload = () => this.#uploads.open();
    this.#upload = [button("Upload…", upload), button("Upload…", upload)];
    this.#sample = button("Sample scan", async () => this.#opened(await post("datasets", { places: { scan: SAMPLE } })));
    const mayAdd = this.#frame.person.role !== "viewer";
    this.#ofMarked = element("span", { class: "of-marked", hidden: true }, button("Tag…", () => this.#tagMarked()),
      button("Remove…", () => this.#removeMarked(), { class: "btn danger" }));
    if (mayAdd) this.#table.actions.append(this.#ofMarked, this.#upload[0], button("Add folder tree…", tree), nextButton("Add data set…", add, { id: "add-data-set" }));
    this.#empty = mayAdd
      ? emptyPage("Add a scan: an HDF5 file (NXtomo, Data Exchange), a scanner's file, or a folder of images.", nextButton("Add data set…", add),
        button("Add folder tree…", tree), this.#upload[1], this.#sample)
      : emptyPage("There are no data sets yet.");
    this.#empty.hidden = true;
    this.#room.prepend(this.#tree.element, this.#uploads.element, this.#empty);
  }

  #opened(dataset) {
    if (dataset) this.#frame.open("scans", dataset.id);
  }

  #showWhatThereIs(total) {
    const { search, state, tag } = this.#table.values, isEmpty = !total && !search && !state && !tag;
    this.#empty.hidden = !isEmpty;
    this.#table.element.hidden = isEmpty;
  }

  #showMarked() {
    this.#ofMarked.hidden = !this.#table.marked.length;
  }

  async #tagMarked() {
    const marked = this.#table.marked;
    const values = await askFor(`Tag ${countText(marked)}`, [{ name: "tags", label: "Tags, with commas between them", required: true }], { button: "Add" });
    if (values) await this.#change(marked, (one) => patch(`datasets/${one.id}`, { tags: [...new Set([...one.tags, ...tagsOf(values.tags)])] }));
  }

  async #removeMarked() {
    const marked = this.#table.marked;
    if (await confirm("Their files stay.", { title: `Remove ${countText(marked)}?`, button: "Remove", danger: true })) {
      await this.#change(marked, (one) => remove(`datasets/${one.id}`));
    }
  }

  async #change(marked, change) {
    for (const one of marked) {
      try {
        await change(one);
      } catch (error) {
        this.#frame.note("error", `${one.name}: ${error.message}`);
      }
    }
    this.#table.unmark();
    await this.refresh();
  }
}

function countText(marked) {
  return marked.length === 1 ? marked[0].name : `${marked.length} data sets`;
}

function thumbnail(one) {
  const room = element("span", { class: "thumbnail" });
  if (one.state === "broken" || one.state === "new") return room;
  room.append(element("img", { src: address(`datasets/${one.id}/thumbnail`, { stamp: one.stamp }), alt: "", loading: "lazy", error: (event) => event.target.remove() }));
  return room;
}
