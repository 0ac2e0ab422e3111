// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Portal.

import { element } from "../parts/dom.js";

export class Place {
  #room;

  constructor(room, frame) {
    this.#room = room;
    room.append(element("h1", {}, "Portal"));
  }

  async show(parts) {
    this.#room.hidden = false;
  }

  hide() {
    this.#room.hidden = true;
  }
}
