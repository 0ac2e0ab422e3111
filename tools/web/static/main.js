// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame around the places: who is logged in, which place is open, and which data set is chosen.

import { ask, get, setCsrf } from "./api.js";
import { element } from "./parts/dom.js";

// Address: #/PLACE/PART...; each module exports title and a class Place(main, frame) with show(parts) and hide().
const PLACES = ["scans", "axis", "reconstruct", "results", "jobs"];

class Frame {
  #places = new Map();
  #open = null;

  async start() {
    const token = location.hash.match(/^#token=(.+)$/)?.[1];
    if (token) {
      history.replaceState(null, "", "#/scans"); // nobody reads it over a shoulder, or in the history
      await ask("POST", "session", { json: { token } });
    }
    const person = await get("session");
    setCsrf(person.csrf);
    this.person = person;
    window.addEventListener("hashchange", () => this.go());
    await this.go();
  }

  async go() {
    const [name = "scans", ...parts] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
    const place = await this.#place(PLACES.includes(name) ? name : "scans");
    if (this.#open !== place) this.#open?.hide();
    this.#open = place;
    await place.show(parts);
  }

  async #place(name) {
    if (!this.#places.has(name)) {
      const { Place } = await import(`./places/${name}.js`);
      const room = element("section", { id: `place-${name}`, hidden: true });
      document.getElementById("main").append(room);
      this.#places.set(name, new Place(room, this));
    }
    return this.#places.get(name);
  }
}

new Frame().start();
