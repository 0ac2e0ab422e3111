// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The line with the facts of the chosen data set: name, size, axis, and its state as one word and one colour.

import { element } from "./dom.js";

export class Head {
  #room;
  #name = element("a", { class: "name", href: "#/scans" });
  #size = element("span", { class: "facts size" });
  #axis = element("span", { class: "facts axis" });
  #state = element("span", { class: "state", role: "status" });

  constructor(room, frame) {
    this.#room = room;
    room.append(this.#name, this.#size, this.#axis, this.#state);
    frame.addEventListener("dataset", () => this.#show(frame.dataset));
  }

  // `head` is that of gsttomo.faces.texts.head_of(): {size, axis, word, tone}.
  #show(dataset) {
    this.#room.hidden = !dataset;
    if (!dataset) return;
    const { size = "", axis = "", word = "", tone = "" } = dataset.head ?? {};
    this.#name.textContent = this.#name.title = dataset.name;
    this.#name.href = `#/scans/${dataset.id}`;
    this.#size.textContent = size;
    this.#axis.textContent = axis;
    this.#state.textContent = word;
    this.#state.dataset.tone = tone;
  }
}
