// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The volume of the chosen data set: what is queued, and how far it is.

import { get, post, samples } from "../api.js";
import { element } from "../parts/dom.js";
import { button, group, nextButton, StateLine } from "../parts/states.js";
import { askMany, keyOf } from "./reconstruct-many.js";
import { number } from "./axis-overlay.js";
import { follow } from "./reconstruct-watch.js";

const OPEN = ["queued", "running", "paused"];

/** Emits "preview" with detail {image, caption}: an image of the volume that is made; and "over" with detail {caption}. */
export class VolumePage extends EventTarget {
  #frame;
  #number = null; // of the data set
  #job = null;
  #unfollow = () => {};
  #isAsking = false;
  #isSending = false; // an order
  #key = null; // of an order that may not have come through
  #typed = new Set(); // fields that somebody writes in: no answer of the server takes numbers away
  #first = number("first-row", { min: 0, input: () => this.#typed.add(this.#first), change: () => this.#setRows(this.#first) });
  #last = number("last-row", { min: 0, input: () => this.#typed.add(this.#last), change: () => this.#setRows(this.#last) });
  #devices = element("select", { class: "form-select", id: "devices", change: () => this.#frame.settings.set("device", this.#devices.value) }, element("option", { value: "" }, "Any free device"));
  #priority = number("priority", { min: -100, max: 100, value: 0, title: "Jobs of a higher priority come first" });
  #name = element("input", { class: "form-control wide", id: "volume-name", maxlength: 200, autocomplete: "off", title: "Of the job; its result is named like the data set" });
  #pause = button("Pause", () => this.#send(this.#job.state === "paused" ? "resume" : "pause"), { id: "pause", hidden: true });
  #cancel = button("Cancel", () => this.#send("cancel"), { id: "cancel-job", hidden: true });
  #many = button("Many data sets…", () => askMany(this.#frame, Number(this.#priority.value)), { id: "many" });
  #open = nextButton("Open result", () => this.#frame.open("results", this.#job.id, this.#job.results[0]?.number ?? 0), { id: "open-result", hidden: true });
  #start = nextButton("Reconstruct volume", () => this.submit(), { id: "reconstruct" });

  constructor(frame) {
    super();
    this.#frame = frame;
    this.#many.disabled = frame.person.role === "viewer";
    this.state = new StateLine();
    this.state.addEventListener("log", () => frame.open("jobs", this.#job.id));
    this.element = element("div", { class: "volume-page" },
      element("div", { class: "toolbar" }, group(element("label", { for: "first-row" }, "Volume: rows"), this.#first, element("label", { for: "last-row" }, "to"), this.#last),
        group(element("label", { for: "devices" }, "on"), this.#devices), group(element("label", { for: "priority" }, "Priority"), this.#priority),
        element("label", { for: "volume-name", class: "visually-hidden" }, "Name"), this.#name),
      element("div", { class: "toolbar volume-steps" }, this.state.element, this.#pause, this.#cancel, this.#many, this.#open, this.#start));
    frame.settings.addEventListener("change", ({ detail }) => detail.changed.some((name) => ["y", "height", "device"].includes(name)) && this.#showSettings());
    get("computer").then(({ devices }) => {
      this.#devices.append(...devices.map((one) => element("option", { value: String(one.index) }, `${one.name}, ${Number((one.memory / 2 ** 30).toPrecision(3))} GiB`)));
      this.#showSettings();
    }).catch((error) => frame.note("error", error.message));
  }

  get isOpen() {
    return OPEN.includes(this.#job?.state);
  }

  /** The page is seen, with the data set of the frame: shows its job that is not over, where there is one. */
  async show() {
    const { id, name } = this.#frame.dataset;
    if (this.#number !== id) this.#typed.clear();
    this.#showSettings();
    if (this.#number === id) return;
    this.#number = id;
    this.#name.value = "";
    this.#name.placeholder = `Name: ${name}`;
    this.#watch(null);
    const { items } = await get("jobs", { query: { dataset: id, limit: 1 } });
    if (this.#number === id && items.length && OPEN.includes(items[0].state)) this.#watch(items[0]);
  }

  /** Queues the volume. */
  async submit() {
    const { dataset, settings } = this.#frame;
    await settings.saved();
    this.#isSending = true;
    this.#tell();
    this.state.working("The volume is queued");
    this.#key ??= keyOf();
    try {
      const { jobs } = await post("jobs", { datasets: [dataset.id], settings: settings.values, name: this.#name.value.trim(), priority: Number(this.#priority.value) || 0, key: this.#key });
      this.#key = null;
      if (this.#number === dataset.id) this.#watch(jobs[0], true);
    } catch (error) {
      if (error.status) this.#key = null; // an answer came: nothing is queued
      this.state.failed(error.message);
      if (error.field && error.field in settings.values) settings.complain(error.field, error.message);
    } finally {
      this.#isSending = false;
      this.#tellStart();
    }
  }

  /** Images of the volume are shown as it is made. */
  #watch(job) {
    this.#unfollow();
    this.#unfollow = () => {};
    this.#job = job;
    this.#shows = Boolean(job) && OPEN.includes(job.state);
    if (job) this.#unfollow = follow(job.id, (now) => this.#know(now));
    this.#tell();
  }

  #shows = false;

  #know(job) {
    if (job.id !== this.#job?.id) return;
    const wasOpen = this.isOpen;
    this.#job = job;
    this.#tell();
    if (job.state === "running" && job.began) this.#peek();
    if (wasOpen && !this.isOpen) {
      this.#unfollow();
      if (this.#shows) this.dispatchEvent(new CustomEvent("over", { detail: { caption: job.state === "done" ? "a slice of the volume" : "a slice of the volume that was given up" } }));
      this.#shows = false;
    }
  }

  /** Pictures on the way instead of a text at the end. */
  async #peek() {
    if (!this.#shows || this.#isAsking || !this.element.checkVisibility()) return;
    this.#isAsking = true;
    const { id } = this.#job;
    try {
      const { data, shape, headers } = await samples("POST", `jobs/${id}/preview`);
      const [height, width] = shape.slice(-2), facts = JSON.parse(headers.get("X-Facts") ?? "{}");
      if (this.#shows && id === this.#job?.id) {
        this.dispatchEvent(new CustomEvent("preview", { detail: { image: { data, width, height, pixelSize: this.#frame.dataset.facts["pixel-size"] },
          caption: `slice ${facts.slice ?? ""} of the volume that is made` } }));
      }
    } catch {
      // it is over, or none came in time: the next one tells more
    } finally {
      this.#isAsking = false;
    }
  }

  /** The picture shows something else from now on. */
  leave() {
    this.#shows = false;
  }

  async #send(what) {
    try {
      this.#know(await post(`jobs/${this.#job.id}/${what}`));
    } catch (error) {
      this.#frame.note("error", error.message);
    }
  }

  #tell() {
    const job = this.#job, isOpen = this.isOpen;
    this.#pause.hidden = this.#cancel.hidden = !isOpen;
    this.#pause.textContent = job?.state === "paused" ? "Resume" : "Pause";
    this.#open.hidden = job?.state !== "done" || !job.results.length;
    this.#tellStart();
    this.#start.classList.toggle("next", this.#open.hidden); // one step is the next one
    if (!job) this.state.empty("");
    else if (isOpen) this.state.working(job.state === "queued" ? `Job ${job.id} is queued` : job.progress, { done: job.done ?? 0, total: job.total ?? 0 });
    else if (job.state === "done") this.state.done(`${job.results.map((one) => one.name).join(", ") || "nothing was written"}, ${(job.seconds ?? 0).toFixed(1)} s`);
    else if (job.state === "cancelled") this.state.done(`Job ${job.id} was cancelled`);
    else this.state.failed(job.error ?? "the process ended without a reason", { log: true });
  }

  /** The button stays in its place: a second click hits nothing else. */
  #tellStart() {
    this.#start.disabled = this.isOpen || this.#isSending || this.#frame.person.role === "viewer";
  }

  /** Rows and device of the settings. */
  #showSettings() {
    const { dataset, settings } = this.#frame;
    if (!dataset?.facts) return;
    const { height } = dataset.facts, first = Math.min(settings.values.y ?? 0, height - 1), last = Math.min(first + (settings.values.height || height), height) - 1;
    for (const [field, row] of [[this.#first, first], [this.#last, last]]) Object.assign(field, { max: height - 1, ...(this.#typed.has(field) ? {} : { value: row }) });
    const wanted = String(settings.values.device ?? "").toLowerCase();
    const options = [...this.#devices.options].slice(1);
    this.#devices.value = (wanted && options.find((one) => one.value === wanted || one.textContent.toLowerCase().includes(wanted))?.value) || "";
  }

  #setRows(changed) {
    this.#typed.delete(changed);
    const { height } = this.#frame.dataset.facts, row = (field) => Math.min(Math.max(Math.round(Number(field.value)) || 0, 0), height - 1);
    let [first, last] = [row(this.#first), row(this.#last)];
    if (last < first) [first, last] = changed === this.#first ? [first, first] : [last, last];
    this.#frame.settings.update({ y: first || "", height: last < height - 1 ? last - first + 1 : "" });
    this.#first.value = first;
    this.#last.value = last;
  }
}
