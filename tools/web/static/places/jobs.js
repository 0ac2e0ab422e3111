// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Jobs: the queue, as it goes on, with logs and settings. Addresses: #/jobs, #/jobs/N, #/jobs/batch/KEY.

import { get } from "../api.js";
import { events } from "../events.js";
import { element } from "../parts/dom.js";
import { button, emptyPage, nextButton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { JobActions } from "./jobs-actions.js";
import { JobDetails } from "./jobs-details.js";
import { askMessages } from "./jobs-messages.js";
import { countsOf, countsText, isOver, momentText, resultText, secondsOf, STATES, timeText } from "./jobs-words.js";

const PAUSE = 400;   // ms between lists while jobs come and go
const SECOND = 1000;

export class Place {
  #frame;
  #room;
  #batch = null;
  #known = new Map(); // what is known of jobs that are marked or chosen
  #timer = null;
  #isShown = false;
  #isEmpty = null;

  constructor(room, frame) {
    [this.#room, this.#frame] = [room, frame];
    room.classList.add("jobs");
    this.details = new JobDetails();
    const work = element("div");
    this.table = new Table(work, {
      label: "Jobs", sort: "-id", limit: 50, marks: true, empty: "No job is like that.", key: (job) => job.id,
      columns: [
        { name: "id", title: "No.", sorts: true, number: true },
        { name: "name", title: "Job", sorts: true },
        { name: "owner", title: "Owner", sorts: true, narrow: "hide" },
        { name: "state", title: "State", sorts: true, cell: stateCell },
        { name: "progress", title: "Progress", narrow: "hide", cell: progressCell },
        { name: "time", title: "Time", sorts: true, number: true, narrow: "hide", cell: (job) => element("span", { class: "job-time" }, timeText(secondsOf(job))) },
        { name: "submitted", title: "Submitted", sorts: true, narrow: "hide", cell: (job) => momentText(job.submitted) },
        { name: "result", title: "Result", narrow: "hide", cell: (job) => element("span", { class: "job-result", title: resultText(job) }, resultText(job)) },
      ],
      filters: [{ name: "search", title: "Search in names and owners" }, { name: "state", title: "State", options: [["", "all states"], ["open", "not over"], ...STATES.map((one) => [one, one])] },
        { name: "owner", title: "Owner", options: [["", "of all"], [frame.person.name, "mine"]] }],
      load: ({ state, ...rest }, signal) => get("jobs", { query: { ...rest, state: state === "open" ? ["queued", "running", "paused"] : state, batch: this.#batch }, signal }),
    });
    const messages = (id) => (frame.person.role === "viewer" ? []
      : [button("Messages…", () => askMessages(frame), { id, title: "How you are told that jobs are over" })]);
    this.table.actions.append(...messages("job-messages"));
    this.actions = new JobActions(frame, () => this.#wanted(), (job) => this.#changed([job]));
    this.overview = element("div", { class: "jobs-overview", role: "status", hidden: true });
    this.work = element("div", { class: "jobs-work" }, this.overview, this.actions.element, this.table.element, this.details.element);
    this.empty = emptyPage("The queue is empty. Volumes that you start are listed here, also those of other browsers.",
      nextButton("Reconstruct a scan", () => frame.open("reconstruct")), button("Open scan", () => frame.open("scans")), ...messages("first-messages"));
    this.empty.hidden = true;
    room.append(element("h1", { class: "visually-hidden" }, "Jobs"), this.empty, this.work);
    this.table.addEventListener("choose", ({ detail: { item } }) => this.#choose(item.id, item));
    this.table.addEventListener("open", ({ detail: { item } }) => item.results.length && frame.open("results", item.id, item.results[0].number));
    this.table.addEventListener("marks", ({ detail: { items } }) => this.#mark(items));
    this.table.addEventListener("page", ({ detail }) => this.#listed(detail));
    events.on("jobs", (jobs) => this.#changed(jobs, true));
    events.on("gone", () => this.#soon());
    events.on("stale", () => this.#soon());
    setInterval(() => this.#tick(), SECOND);
  }

  async show(parts) {
    this.#isShown = true;
    this.#room.hidden = false;
    const batch = parts[0] === "batch" ? parts[1] : null;
    const isOther = batch !== this.#batch;
    this.#batch = batch;
    await (isOther ? this.table.filter({ search: "", state: "" }) : this.table.refresh());
    if (this.#isShown) await this.#overview();
    const number = Number(parts[0]);
    if (Number.isInteger(number) && number > 0) await this.#choose(number);
    else if (this.details.number === null && this.table.items.length) await this.#choose(this.table.items[0].id, this.table.items[0], false);
  }

  hide() {
    this.#isShown = false;
    this.#room.hidden = true;
  }

  async #choose(number, job = this.table.items.find((one) => one.id === number), isNamed = true) {
    this.table.choose(number);
    if (job) this.#known.set(number, job);
    if (isNamed && !this.#batch) history.replaceState(null, "", `#/jobs/${number}`);
    this.actions.update();
    await this.details.choose(number);
    if (!this.#known.has(number) && this.details.job?.id === number) this.#known.set(number, this.details.job);
    this.actions.update();
    if (number === this.details.number) await this.#overview();
  }

  /** Jobs that buttons are for: the marked ones, else the chosen one. */
  #wanted() {
    const marked = this.table.marked.map((job) => this.#known.get(job.id) ?? job);
    const chosen = this.#known.get(this.details.number);
    return marked.length ? marked : chosen ? [chosen] : [];
  }

  #mark(items) {
    for (const job of items) if (!this.#known.has(job.id)) this.#known.set(job.id, job);
    this.actions.update();
    this.#overview();
  }

  #listed({ items, total }) {
    for (const job of items) if (this.#known.has(job.id)) this.#known.set(job.id, job);
    const { search, state, owner } = this.table.values;
    const isEmpty = !total && !search && !state && !owner && !this.#batch;
    if (isEmpty !== this.#isEmpty) {
      this.#isEmpty = isEmpty;
      this.empty.hidden = !isEmpty;
      this.work.hidden = isEmpty;
    }
    this.actions.update();
  }

  /** Of the server's words about jobs. */
  #changed(jobs, isEvent = false) {
    let isNew = false;
    for (const job of jobs) {
      if (this.#known.has(job.id)) this.#known.set(job.id, job);
      const before = this.table.items.find((one) => one.id === job.id);
      if (before && job.state !== "gone") this.table.update(job);
      isNew = isNew || !before || before.state !== job.state || job.state === "gone";
      if (job.state === "gone") this.#forget(job.id);
    }
    if (isNew || !isEvent) this.#soon();
    this.actions.update();
  }

  #forget(number) {
    this.#known.delete(number);
    if (this.details.number === number) this.details.choose(null);
    if (this.table.marked.some((job) => job.id === number)) this.table.unmark();
  }

  /** The list and the counts anew, by and by. */
  #soon() {
    if (!this.#isShown) return;
    this.#timer ??= setTimeout(async () => {
      this.#timer = null;
      if (!this.#isShown) return;
      await this.table.refresh();
      await this.#overview();
    }, PAUSE);
  }

  /** How far the jobs of a batch are, or those that are marked. */
  async #overview() {
    const marked = this.table.marked;
    if (marked.length > 1) {
      const counts = countsOf(marked.map((job) => this.#known.get(job.id) ?? job));
      this.overview.replaceChildren(`${marked.length} jobs are marked: ${countsText(counts)}`, button("Unmark", () => this.table.unmark(), { class: "btn small" }));
    } else if (this.#batch) {
      await this.#showBatch();
    } else {
      const job = this.#known.get(this.details.number);
      this.overview.replaceChildren(...(job?.batch ? [button("Show its batch", () => this.#frame.open("jobs", "batch", job.batch), { class: "btn small" })] : []));
    }
    this.overview.hidden = !this.overview.childNodes.length;
  }

  async #showBatch() {
    const all = button("All jobs", () => this.#frame.open("jobs"), { class: "btn small" });
    try {
      const { total, counts } = await get(`jobs/batches/${encodeURIComponent(this.#batch)}`);
      const over = total - counts.queued - counts.running - counts.paused;
      this.overview.replaceChildren(`Batch of ${total} jobs: ${countsText(counts)}`, element("progress", { max: total, value: over, "aria-label": "Jobs of the batch that are over" }), all);
    } catch (error) {
      this.overview.replaceChildren(`✕ ${error.message}`, all);
    }
  }

  /** Times of jobs that run. */
  #tick() {
    if (!this.#isShown || document.hidden) return;
    for (const job of this.table.items) {
      if (job.began === null || isOver(job)) continue;
      const cell = this.table.table.querySelector(`tr[data-key="${job.id}"] .job-time`), text = timeText(Math.round(secondsOf(job)));
      if (cell && cell.textContent !== text) cell.textContent = text;
    }
  }
}

function stateCell(job) {
  const tone = { failed: "failure", done: "good", paused: "warning" }[job.state];
  return element("span", { "data-tone": tone ?? null, class: "job-state" }, job.mark ?? job.state);
}

function progressCell(job) {
  if (isOver(job)) return "";
  if (job.state === "queued") return job.priority ? `priority ${job.priority}` : "";
  const bar = job.total ? element("progress", { max: job.total, value: job.done ?? 0, "aria-label": `Progress of job ${job.id}` }) : null;
  return element("span", { class: "job-progress" }, bar, job.progress);
}
