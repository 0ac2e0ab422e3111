// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What people do with jobs: with the chosen one, or with all that are marked.

import { get, patch, post, remove } from "../api.js";
import { show } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { button, nextButton } from "../parts/states.js";
import { isOver, OPEN } from "./jobs-words.js";
import { keyOf } from "./reconstruct-many.js";

const PRIORITIES = [["10", "10, first"], ["5", "5"], ["0", "0, usual"], ["-5", "-5"], ["-10", "-10, last"]];

/** The buttons of the place. `wanted()` gives the jobs that they are for; `changed(job)` is told what the server says. */
export class JobActions {
  #frame;
  #wanted;
  #changed;
  #buttons = new Map();

  constructor(frame, wanted, changed) {
    [this.#frame, this.#wanted, this.#changed] = [frame, wanted, changed];
    const step = (what) => (job) => post(`jobs/${job.id}/${what}`);
    this.#add("Pause", (job) => ["queued", "running"].includes(job.state), step("pause"), "Holds a job, where it runs or in the queue");
    this.#add("Resume", (job) => job.state === "paused", step("resume"), "Ends a pause");
    this.#add("Finish early", (job) => job.state === "running", step("finish"), "Ends it with the slices that are made");
    this.#add("Cancel", (job) => OPEN.includes(job.state), step("cancel"), "Ends it without a result");
    this.#add("Again", () => true, (job) => post(`jobs/${job.id}/repeat`, { key: keyOf() }), "Queues it once more; its result gets a name of its own");
    this.#add("Remove", isOver, null, "Takes it out of the list, with its log", () => this.#remove());
    this.settings = button("Again with changed settings", () => this.#change(), { title: "Opens Reconstruct with its settings", id: "job-change" });
    this.priority = element("select", { class: "form-select", id: "job-priority", title: "Jobs of a higher priority come first", "aria-label": "Priority", change: () => this.#prioritize() });
    this.open = nextButton("Open result", () => this.#open(), { id: "job-open" });
    this.element = element("div", { class: "toolbar jobs-actions", role: "group", "aria-label": "What to do with the job" },
      ...[...this.#buttons.values()].map((one) => one.button), this.settings, this.priority, element("span", { class: "end" }, this.open));
    this.update();
  }

  /** Which buttons mean something now. */
  update() {
    const jobs = this.#wanted(), mine = jobs.filter((job) => this.#mayChange(job)), one = jobs.length === 1 ? jobs[0] : null;
    for (const { button: made, fits } of this.#buttons.values()) made.disabled = !mine.some(fits);
    this.settings.disabled = !one || one.dataset === null || this.#frame.person.role === "viewer";
    this.open.disabled = !one || !one.results.length;
    const waiting = mine.filter((job) => ["queued", "paused"].includes(job.state));
    this.priority.disabled = !waiting.length;
    const value = waiting.length && waiting.every((job) => job.priority === waiting[0].priority) ? String(waiting[0].priority) : "";
    const known = PRIORITIES.some(([key]) => key === value);
    this.priority.replaceChildren(...[...(known ? [] : [[value, value || "Priority"]]), ...PRIORITIES].map(([key, text]) => element("option", { value: key, selected: key === value }, text)));
    this.priority.value = value;
  }

  #add(title, fits, send, hint, click = () => this.#each(fits, send)) {
    this.#buttons.set(title, { fits, button: button(title, click, { title: hint, id: `job-${title.toLowerCase().replaceAll(" ", "-")}` }) });
  }

  #mayChange(job) {
    const { name, role } = this.#frame.person;
    return role === "admin" || (role !== "viewer" && job.owner === name);
  }

  async #each(fits, send) {
    for (const job of this.#wanted().filter((one) => this.#mayChange(one) && fits(one))) {
      try {
        this.#changed(await send(job));
      } catch (error) {
        this.#frame.note("error", `job ${job.id}: ${error.message}`);
      }
    }
  }

  #prioritize() {
    const priority = Number(this.priority.value);
    return this.#each((job) => ["queued", "paused"].includes(job.state), (job) => patch(`jobs/${job.id}`, { priority }));
  }

  async #remove() {
    const jobs = this.#wanted().filter((job) => this.#mayChange(job) && isOver(job));
    const results = jobs.filter((job) => job.results.length).length;
    const what = jobs.length === 1 ? `job ${jobs[0].id}` : `${jobs.length} jobs`;
    const text = results ? "Results may stay on the disk, where the list of results does not have them any more, or go as well." : "Its log is removed, too.";
    const chosen = await show(`Remove ${what}?`, [element("p", {}, text)], [{ text: "Cancel", value: null },
      ...(results ? [{ text: "Remove with results", value: "?results=true", danger: true }] : []), { text: "Remove", value: "", next: true }]);
    if (chosen === null) return;
    await this.#each(isOver, async (job) => {
      await remove(`jobs/${job.id}${chosen}`);
      return { ...job, state: "gone" };
    });
  }

  /** Takes data set and settings of a job into Reconstruct. */
  async #change() {
    const [{ id, dataset }] = this.#wanted();
    try {
      const job = await get(`jobs/${id}`);
      await this.#frame.choose(dataset);
      if (await this.#frame.settings.replace(job.settings)) this.#frame.open("reconstruct", dataset);
      else this.#frame.note("error", `the settings of job ${id} can't be taken: ${Object.values(this.#frame.settings.problems)[0] ?? "nobody knows why"}`);
    } catch (error) {
      this.#frame.note("error", `job ${id}: ${error.message}`);
    }
  }

  #open() {
    const [job] = this.#wanted();
    this.#frame.open("results", job.id, job.results[0].number);
  }
}
