// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Reconstruct: a slice while settings change, then the volume, or many of them.

import { element } from "../parts/dom.js";
import { showSettings } from "../parts/settings-panel.js";
import { tellAxis } from "./axis-facts.js";
import { chosenFor } from "./chosen.js";
import { SlicePage } from "./reconstruct-slice.js";
import { VolumePage } from "./reconstruct-volume.js";

export class Place {
  #room;
  #frame;
  #slice;
  #volume;
  #empty = element("div");
  #panelRoom = element("div", { class: "settings-room" });
  #work;

  constructor(room, frame) {
    this.#room = room;
    this.#frame = frame;
    this.#slice = new SlicePage(frame);
    this.#volume = new VolumePage(frame);
    this.#work = element("div", { class: "work", hidden: true }, element("div", { class: "work-main" }, this.#slice.element, this.#volume.element), this.#panelRoom);
    room.append(element("h1", { class: "visually-hidden" }, "Reconstruct"), this.#empty, this.#work);
    this.#volume.addEventListener("preview", ({ detail }) => this.#slice.lend(detail.image, detail.caption));
    this.#volume.addEventListener("over", ({ detail }) => this.#slice.isTaken && (this.#slice.view.caption = detail.caption));
    this.#slice.addEventListener("look", () => this.#volume.leave());
  }

  async show(parts) {
    this.#room.hidden = false;
    const dataset = await chosenFor(this.#frame, parts, this.#empty, "There is no scan yet. Slices come when one is chosen.");
    this.#work.hidden = !dataset;
    if (!dataset) return;
    tellAxis(this.#frame);
    showSettings(this.#frame, this.#panelRoom);
    this.#slice.show();
    await this.#volume.show();
  }

  hide() {
    this.#room.hidden = true;
  }
}
