// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Raw data sets of a proposal in the portal, and data sets made of them.

import { get, post } from "../api.js";
import { element } from "../parts/dom.js";
import { formField } from "../parts/dialog.js";
import { button, emptyPage, StateLine } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { bytesText, timeText } from "../parts/words.js";

export class PortalSearch {
  #frame;
  #proposal = formField({ name: "proposal", label: "Proposal", attributes: { autocomplete: "off" } });
  #health = new StateLine();
  #none = emptyPage("There is no portal here. A file of rules names one: [portal] with its address, a token and folders.");
  #form;
  #found;
  #table;

  constructor(room, frame) {
    this.#frame = frame;
    this.#form = element("form", { class: "toolbar portal-search", submit: (event) => {
      event.preventDefault();
      this.#search();
    } }, this.#proposal.element, element("button", { type: "submit", class: "btn next" }, "Search"));
    this.#found = element("div", { class: "portal-found", hidden: true });
    this.#table = new Table(this.#found, {
      label: "Data sets in the portal", limit: 200, key: (one) => one.id, empty: "The portal has no raw data set of this proposal for us.",
      filters: [{ name: "search", title: "Search names" }],
      columns: [
        { name: "name", title: "Name", cell: (one) => element("span", {}, one.name, element("span", { class: "faint place" }, one.id)) },
        { name: "owner", title: "Owner", narrow: "hide", cell: (one) => one.owner },
        { name: "files", title: "Files", number: true, narrow: "hide", cell: (one) => String(one.files) },
        { name: "size", title: "Size", number: true, narrow: "hide", cell: (one) => bytesText(one.size) },
        { name: "created", title: "Made", narrow: "hide", cell: (one) => one.created ? timeText(one.created) : "" },
        { name: "dataset", title: "Data set", cell: (one) => one.dataset ? element("a", { href: `#/scans/${one.dataset}`, "aria-label": `Data set of ${one.name}` }, "Open")
          : button("Take as data set", () => this.#take(one), { class: "btn small", "aria-label": `Take ${one.name} as data set` }) },
      ],
      load: (query, signal) => this.#ask(query, signal),
    });
    this.#table.addEventListener("failed", ({ detail }) => this.#health.failed(detail.error.message));
    room.append(this.#none, this.#form, this.#found, this.#health.element);
  }

  take({ portal }) {
    this.#none.hidden = Boolean(portal);
    this.#form.hidden = !portal;
    this.#health.element.hidden = !portal;
  }

  async show() {
    const portal = await get("portal");
    if (!portal.is_configured) this.#health.stale(portal.text);
    else if (portal.is_fine) this.#health.done(`${portal.text} (${portal.address})`);
    else this.#health.failed(portal.text);
    this.#proposal.input.focus();
  }

  #search() {
    if (!this.#proposal.value().trim()) return this.#proposal.say("This is needed.");
    this.#proposal.say("");
    this.#found.hidden = false;
    return this.#table.filter({});
  }

  async #ask({ search }, signal) {
    this.#health.working("The portal is asked");
    const page = await get("portal/datasets", { query: { proposal: this.#proposal.value().trim(), search }, signal });
    this.#health.done(`${page.total} found`);
    return page;
  }

  async #take(one) {
    this.#health.working(`A data set is made of ${one.name}`);
    try {
      const { dataset } = await post("portal/datasets", { id: one.id });
      this.#table.update({ ...one, dataset });
      this.#health.done(`${one.name} is data set ${dataset}`);
      this.#frame.note("info", `${one.name} is data set ${dataset}.`);
    } catch (error) {
      this.#health.failed(error.message);
    }
  }
}
