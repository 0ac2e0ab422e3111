// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Scans: the list of all data sets, and the page of one.

import { element } from "../parts/dom.js";
import { DataSetList } from "./scans_list.js";
import { DataSetPage } from "./scans_page.js";

export class Place {
  #room;
  #list;
  #page;

  constructor(room, frame) {
    this.#room = room;
    const list = element("div", { class: "scans-list" }), page = element("div", { class: "scans-page", hidden: true });
    room.append(list, page);
    this.#list = new DataSetList(list, frame);
    this.#page = new DataSetPage(page, frame);
  }

  async show(parts) {
    this.#room.hidden = false;
    const number = /^[1-9]\d{0,14}$/.test(parts[0] ?? "") ? Number(parts[0]) : null;
    if (number === null) {
      this.#page.hide();
      await this.#list.show();
    } else {
      this.#list.hide();
      await this.#page.show(number);
    }
  }

  hide() {
    this.#list.hide();
    this.#page.hide();
    this.#room.hidden = true;
  }
}
