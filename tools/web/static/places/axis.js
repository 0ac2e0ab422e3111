// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Axis: by eye, by methods, by slices.

import { element } from "../parts/dom.js";
import { showSettings } from "../parts/settings-panel.js";
import { button, nextButton } from "../parts/states.js";
import { axisText, tellAxis } from "./axis-facts.js";
import { Estimates } from "./axis-estimates.js";
import { MosaicPage } from "./axis-mosaic.js";
import { OverlayPage } from "./axis-overlay.js";
import { chosenFor } from "./chosen.js";

const VIEWS = [["overlay", "0 and 180 degrees"], ["mosaic", "Slices for several values"]];

export class Place {
  #room;
  #frame;
  #pages;
  #buttons;
  #view = "overlay";
  #estimates;
  #now = element("p", { id: "axis-now", class: "mono" });
  #panelRoom = element("div", { class: "settings-room" });

  constructor(room, frame) {
    this.#room = room;
    this.#frame = frame;
    this.#pages = { overlay: new OverlayPage(frame), mosaic: new MosaicPage(frame) };
    this.#estimates = new Estimates(frame);
    this.#buttons = VIEWS.map(([name, text]) => button(text, () => this.showView(name), { class: "btn small", "aria-pressed": "false", "data-view": name }));
    const preview = nextButton("Preview slice", () => frame.open("reconstruct", frame.dataset.id), { id: "preview-slice" });
    this.#work = element("div", { class: "work with-side", hidden: true },
      element("div", { class: "work-main" }, element("div", { class: "toolbar" }, ...this.#buttons), ...Object.values(this.#pages).map((page) => page.element)),
      element("div", { class: "work-side" }, this.#estimates.element, this.#now, element("div", { class: "toolbar" }, element("span", { class: "end" }), preview)),
      this.#panelRoom);
    this.#empty = element("div", {});
    room.append(element("h1", { class: "visually-hidden" }, "Axis"), this.#empty, this.#work);
    frame.settings.addEventListener("change", () => this.#tell());
    frame.addEventListener("dataset", () => this.#tell());
  }

  #work; #empty;

  async show(parts) {
    this.#room.hidden = false;
    const dataset = await chosenFor(this.#frame, parts, this.#empty, "There is no scan yet. Its axis is found when one is chosen.");
    this.#work.hidden = !dataset;
    if (!dataset) return;
    tellAxis(this.#frame);
    showSettings(this.#frame, this.#panelRoom);
    await this.#estimates.show();
    await this.showView(this.#view);
    this.#tell();
  }

  hide() {
    this.#room.hidden = true;
  }

  /** overlay or mosaic */
  async showView(name) {
    this.#view = name;
    for (const one of this.#buttons) one.setAttribute("aria-pressed", String(one.dataset.view === name));
    for (const [key, page] of Object.entries(this.#pages)) page.element.hidden = key !== name;
    await this.#pages[name].show();
  }

  #tell() {
    this.#now.textContent = this.#frame.dataset?.facts ? axisText(this.#frame) : "";
  }
}
