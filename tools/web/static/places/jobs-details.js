// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything about one job: its course, the log of its process, settings, provenance, and the line of a shell that does the same.

import { ask, get } from "../api.js";
import { events } from "../events.js";
import { copyButton } from "../parts/copy.js";
import { element } from "../parts/dom.js";
import { isOver } from "./jobs-words.js";

const PAUSE = 500; // ms between questions while a job runs
const TABS = [["course", "Course"], ["log", "Log of the process"], ["settings", "Settings"], ["provenance", "Provenance"], ["command", "Command"]];

export class JobDetails {
  #number = null;
  #tab = "course";
  #shown = {};  // texts by tab
  #tabs = new Map();
  #pane = element("div", { class: "jobs-pane", role: "tabpanel", tabindex: 0, id: "job-pane" });
  #said = element("p", { class: "jobs-error", "data-tone": "failure", role: "status", hidden: true });
  #keep = element("input", { type: "checkbox", class: "form-check-input", id: "job-keep", change: () => this.#pin() });
  #kept = null;
  #timer = null;
  #asked = 0;

  constructor() {
    const list = element("div", { class: "nav nav-tabs", role: "tablist", "aria-label": "About the job", keydown: (event) => this.#press(event) });
    for (const [name, title] of TABS) {
      const tab = element("button", { type: "button", class: "nav-link", role: "tab", id: `job-tab-${name}`, "aria-controls": "job-pane", click: () => this.#show(name) }, title);
      this.#tabs.set(name, tab);
      list.append(tab);
    }
    const keep = element("label", { class: "form-check-label", title: "No rule of the administrator takes this job and its result away" }, this.#keep, " Keep");
    this.#kept = element("span", { class: "jobs-keep", hidden: true }, keep);
    this.element = element("div", { class: "jobs-details" }, this.#said, element("div", { class: "jobs-tabs" }, list, this.#kept), this.#pane);
    events.on("event", ({ job, event }) => job === this.#number && event.event !== "progress" && this.#soon());
    events.on("jobs", (jobs) => jobs.some((job) => job.id === this.#number) && this.#soon());
    this.#show("course");
  }

  get number() {
    return this.#number;
  }

  /** Another job; null: none. */
  async choose(number) {
    if (number === this.#number) return;
    if (this.#number !== null) events.unfollow(this.#number);
    this.#number = number;
    this.#shown = {};
    this.#said.hidden = this.#kept.hidden = true;
    this.#render();
    if (number === null) return;
    events.follow(number);
    await this.#load();
  }

  #soon() {
    this.#timer ??= setTimeout(() => this.#load(), PAUSE);
  }

  async #load() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const number = this.#number, asked = ++this.#asked;
    if (number === null) return;
    try {
      const [job, log] = await Promise.all([get(`jobs/${number}`), this.#tab === "log" || !this.#shown.log ? ask("GET", `jobs/${number}/log`).then((answer) => answer.text()) : this.#shown.log]);
      if (asked !== this.#asked) return;
      this.job = job;
      this.#shown = { course: job.course.join("\n") || (isOver(job) ? "The process has told nothing." : "It has not begun yet."), log: log || "The process has written nothing.",
        settings: JSON.stringify(job.description, null, 2), provenance: job.provenance, command: job.command ?? "" };
      this.#kept.hidden = !job.may_change || !isOver(job);
      this.#keep.checked = job.is_pinned;
      this.#said.hidden = job.state !== "failed";
      this.#said.textContent = job.state === "failed" ? `✕ Failed: ${job.error ?? "the process ended without a reason"}` : "";
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#shown = { course: error.message };
    }
    this.#render();
  }

  async #pin() {
    await ask(this.#keep.checked ? "PUT" : "DELETE", `jobs/${this.#number}/pin`).catch(() => {});
    await this.#load(); // it shows what holds
  }

  #show(name) {
    this.#tab = name;
    for (const [key, tab] of this.#tabs) {
      const isOpen = key === name;
      tab.classList.toggle("active", isOpen);
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
    }
    this.#pane.setAttribute("aria-labelledby", `job-tab-${name}`);
    this.#render();
    if (name === "log" && this.#number !== null) this.#soon();
  }

  #render() {
    const shown = this.#shown[this.#tab];
    if (this.#tab === "provenance") {
      this.#pane.replaceChildren(element("dl", { class: "facts" }, ...(shown ?? []).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
      return;
    }
    const before = this.#pane.querySelector("pre"), text = shown ?? (this.#number === null ? "Choose a job in the list." : "");
    if (before?.dataset.tab === this.#tab && before.textContent === text) return;
    const isAtEnd = this.#pane.scrollTop + this.#pane.clientHeight >= this.#pane.scrollHeight - 4;
    const made = element("pre", { "data-tab": this.#tab }, text);
    const copy = this.#tab === "command" && shown ? [copyButton(shown, { class: "btn small" })] : [];
    this.#pane.replaceChildren(...copy, made);
    if (isAtEnd && before?.dataset.tab === this.#tab) this.#pane.scrollTop = this.#pane.scrollHeight;
  }

  #press(event) {
    const names = TABS.map(([name]) => name), at = names.indexOf(this.#tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const name = names[(to + names.length) % names.length];
    this.#show(name);
    this.#tabs.get(name).focus();
  }
}
