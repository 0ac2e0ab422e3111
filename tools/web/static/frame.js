// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame around the places: which place is open, and which data set is chosen.

import { ask, Failure, get } from "./api.js";
import { Bar } from "./parts/bar.js";
import { ask as askFor } from "./parts/dialog.js";
import { element } from "./parts/dom.js";
import { Head } from "./parts/head.js";
import { Notes } from "./parts/notes.js";
import { StateLine } from "./parts/states.js";
import { Settings } from "./settings.js";

// Address: #/PLACE/PART...; each module places/NAME.js exports a class Place(room, frame) with show(parts) and hide().
const PLACES = [["scans", "Scans"], ["axis", "Axis"], ["reconstruct", "Reconstruct"], ["results", "Results"], ["jobs", "Jobs"], ["live", "Live"], ["portal", "Portal"],
  ["administration", "Administration"]];
const FOR_ADMINS = ["administration"];

/**
 * What places share. Emits "dataset" where another data set is chosen, or its facts are new.
 *   person    {name, role, access, expert}
 *   dataset   the chosen one as GET datasets/ID tells it, or null; `head` in it is what the line above the place shows
 *   settings  Settings of the chosen one
 */
export class Frame extends EventTarget {
  dataset = null;
  settings = new Settings();
  #places = new Map();
  #open = null;
  #notes = new Notes(document.getElementById("notes"));
  #problem = new StateLine();
  #turn = 0;
  #choice = 0;

  constructor(person) {
    super();
    this.person = person;
    this.titles = new Map(PLACES.filter(([name]) => !FOR_ADMINS.includes(name) || person.role === "admin"));
    new Head(document.getElementById("head"), this);
    this.bar = new Bar(document.getElementById("bar"), person, [...this.titles], this.#actions(), this);
    this.#problem.element.hidden = true;
    this.#problem.element.id = "problem";
    document.getElementById("main").append(this.#problem.element);
    this.settings.addEventListener("change", () => this.#notes.calm());
  }

  async start() {
    window.addEventListener("hashchange", () => this.go());
    await this.go();
  }

  /** Chooses a data set by its number, null: none. The place that is open stays. */
  async choose(id) {
    const choice = ++this.#choice;
    if (id === null || id === undefined) return this.#take(null);
    if (!/^[1-9]\d{0,14}$/.test(id)) throw new Failure(404, { error: `there is no data set ${id}` });
    if (this.dataset?.id === Number(id)) return this.dataset;
    const dataset = await get(`datasets/${Number(id)}`);
    return choice === this.#choice ? this.#take(dataset) : this.dataset; // somebody has chosen another one meanwhile
  }

  /** Asks for the facts of the chosen data set again. */
  async refresh() {
    if (this.dataset) this.update(await get(`datasets/${this.dataset.id}`));
  }

  /** Facts of the chosen data set that are new: {head: {axis: "axis 86.35"}} and such, or all of them, unless a later answer was faster. */
  update(facts) {
    if (!this.dataset || (facts.id ?? this.dataset.id) !== this.dataset.id || facts.version < this.dataset.version) return;
    this.dataset = { ...this.dataset, ...facts, head: { ...this.dataset.head, ...facts.head } };
    this.dispatchEvent(new Event("dataset"));
  }

  /** A message at the foot of the page. level: error, warning or info. */
  note(level, text) {
    this.#notes.add(level, text);
  }

  /** Goes to a place: open("jobs", 7). */
  open(...parts) {
    location.hash = `#/${parts.map(encodeURIComponent).join("/")}`;
  }

  /** Shows the place that the address names. */
  async go() {
    const turn = ++this.#turn;
    const [wanted = "scans", ...parts] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(plain);
    const name = this.titles.has(wanted) ? wanted : "scans";
    this.bar.mark(name);
    document.title = `${this.titles.get(name)} - gst-tomo`;
    this.#problem.element.hidden = true;
    try {
      const place = await this.#place(name);
      if (turn !== this.#turn) return; // somebody has gone on meanwhile
      if (this.#open !== place) this.#open?.hide();
      this.#open = place;
      await place.show(name === wanted ? parts : []);
    } catch (error) {
      if (!(error instanceof Failure)) this.note("error", error.message);
      if (turn === this.#turn) {
        this.#problem.element.hidden = false;
        this.#problem.failed(error.message);
      }
      if (!(error instanceof Failure)) throw error;
    }
  }

  async #take(dataset) {
    this.dataset = dataset;
    this.dispatchEvent(new Event("dataset"));
    await this.settings.load(dataset, { canKeep: this.person.role !== "viewer" });
    return dataset;
  }

  async #place(name) {
    if (!this.#places.has(name)) {
      const { Place } = await import(`./places/${name}.js`);
      if (!this.#places.has(name)) {
        const room = element("section", { id: `place-${name}`, "aria-label": this.titles.get(name), hidden: true });
        document.getElementById("main").append(room);
        this.#places.set(name, new Place(room, this));
      }
    }
    return this.#places.get(name);
  }

  #actions() {
    const leave = (all) => async () => {
      await ask("DELETE", all ? "sessions" : "session");
      location.reload();
    };
    return this.person.access === "passwords"
      ? [["Change password…", () => this.#changePassword()], ["Log out", leave(false)], ["Log out everywhere", leave(true)]]
      : this.person.access === "token" ? [["Log out", leave(false)]] : [];
  }

  async #changePassword() {
    const fields = [["old", "Old password", "current-password"], ["password", "New password", "new-password"]].map(([name, label, autocomplete]) => (
      { name, label, type: "password", required: true, attributes: { autocomplete } }));
    const done = await askFor("Change password", fields, { send: (values) => ask("PUT", "session/password", { json: values }) });
    if (done) this.note("info", "The password is changed; other browsers are logged out.");
  }
}

function plain(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no address of ours
  }
}
