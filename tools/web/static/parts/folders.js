// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A browser of the folders that the server shows.

import { get } from "../api.js";
import { element } from "./dom.js";
import { button } from "./states.js";
import { Table } from "./table.js";
import { bytesText, timeText } from "./words.js";

const SIGNS = { folder: "▸ ", hdf5: "", scanner: "", images: "", other: "" };
const LAST = "gst-tomo-folder"; // where the browser keeps the last place

/** Emits "choose" with detail {item}, null: none. Folders are entered by Enter, a double click, or a click on their name. */
export class FolderBrowser extends EventTarget {
  #path = element("nav", { class: "folder-path", "aria-label": "Folder" });
  #table;
  #place = "";
  #lost = false;
  chosen = null;

  constructor(container, { label = "Files" } = {}) {
    super();
    this.element = element("div", { class: "folder-browser" }, this.#path);
    container.append(this.element);
    this.#table = new Table(this.element, {
      label, limit: 200, key: (item) => item.place, empty: "Nothing is in this folder.",
      filters: [{ name: "search", title: "Part of a name" }],
      columns: [
        { name: "name", title: "Name", cell: (item) => this.#name(item) },
        { name: "size", title: "Size", number: true, narrow: "hide", cell: (item) => bytesText(item.size) },
        { name: "time", title: "Changed", narrow: "hide", cell: (item) => (item.time ? timeText(item.time) : "") },
      ],
      load: (query, signal) => this.#load(query, signal),
    });
    this.#table.addEventListener("choose", ({ detail }) => this.#choose(detail.item));
    this.#table.addEventListener("open", ({ detail }) => this.#enter(detail.item));
  }

  /** The folder that is shown, "" for the list of all. */
  get place() {
    return this.#place;
  }

  /** The place of what is chosen, or of the folder that is shown; "" for none. */
  get wanted() {
    return this.chosen?.place ?? this.#place;
  }

  /** Shows a folder, or the last one that somebody saw. */
  async open(place = localStorage.getItem(LAST) ?? "") {
    this.#place = place;
    this.#choose(null);
    this.#table.choose(null);
    this.#showPath();
    await this.#table.filter({ search: "" });
    if (this.#lost) {
      this.#lost = false;
      if (place) await this.open("");
    } else {
      localStorage.setItem(LAST, place);
    }
  }

  async #load({ offset, limit, search }, signal) {
    if (!this.#place) {
      const items = (await get("folders", { signal })).map(({ name }) => ({ name, place: name, kind: "folder" })).filter(({ name }) => name.includes(search));
      return { items, total: items.length };
    }
    try {
      return await get("folders/contents", { query: { place: this.#place, offset, limit, search }, signal });
    } catch (error) {
      this.#lost = error.status === 404;
      throw error;
    }
  }

  #name(item) {
    const known = item.dataset ? element("span", { class: "faint" }, ` data set ${item.dataset}`) : null;
    return item.kind === "folder" ? element("span", {}, button(`${SIGNS.folder}${item.name}`, () => this.open(item.place), { class: "btn plain small", tabindex: -1 }), known)
      : element("span", {}, item.name, known);
  }

  #enter(item) {
    if (item.kind === "folder") this.open(item.place);
  }

  #choose(item) {
    this.chosen = item;
    this.dispatchEvent(new CustomEvent("choose", { detail: { item } }));
  }

  #showPath() {
    const parts = this.#place ? this.#place.split("/") : [];
    const links = [button("Folders", () => this.open(""), { class: "btn plain small" }),
      ...parts.map((part, at) => button(part, () => this.open(parts.slice(0, at + 1).join("/")), { class: "btn plain small" }))];
    links.at(-1).setAttribute("aria-current", "location");
    this.#path.replaceChildren(...links.flatMap((link, at) => (at ? [" / ", link] : [link])));
  }
}
