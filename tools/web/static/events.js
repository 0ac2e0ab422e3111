// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What happens to jobs, as it happens: one WebSocket for the page, which comes again by itself and catches up.
//
//   events.on("jobs", (jobs) => ...)           jobs that have changed, as GET jobs lists them
//   events.on("gone", (numbers) => ...)        jobs that are forgotten
//   events.on("stale", () => ...)              more may have changed than is told: lists are to be asked for again
//   events.on("event", ({ job, event }) => ...) of jobs that are followed (docs/progress.md); event.line is what people read
//   const stop = events.on(...)
//   events.follow(7); events.unfollow(7);      as many times as it was followed

import { address } from "./api.js";

const FIRST = 500, LONGEST = 15000; // ms until it tries again
const SILENT = 50000;               // ms without a word, not even a ping, until the server counts as gone
const NOT_LOGGED_IN = 4401;

class Events {
  #listeners = new Map();
  #followed = new Map(); // by number of a job: how many want it, and the last event that came
  #socket = null;
  #revision = null;
  #pause = FIRST;
  #timer = null;
  isThere = false;

  /** Calls f with each thing of that kind; returns a function that ends it. */
  on(kind, f) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, new Set());
    this.#listeners.get(kind).add(f);
    this.#open();
    return () => this.#listeners.get(kind).delete(f);
  }

  /** Events of a job, from its begin on; for one that is followed already, from now on. */
  follow(job) {
    const one = this.#followed.get(Number(job));
    this.#followed.set(Number(job), one ? { ...one, count: one.count + 1 } : { count: 1, last: 0 });
    if (!one) this.#wish();
    this.#open();
  }

  unfollow(job) {
    const one = this.#followed.get(Number(job));
    if (!one) return;
    if (one.count > 1) one.count -= 1;
    else if (this.#followed.delete(Number(job))) this.#wish();
  }

  #open() {
    if (this.#socket) return;
    const url = address("events");
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(url));
    socket.addEventListener("open", () => {
      this.#pause = FIRST;
      this.#listen();
      this.#wish(true);
      this.isThere = true;
      if (this.#revision === null) this.#tell("stale"); // lists that came before the connection may be older than its first word
    });
    socket.addEventListener("message", ({ data }) => {
      this.#listen();
      this.#take(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      clearTimeout(this.#timer);
      this.isThere = false;
      if (code === NOT_LOGGED_IN) return; // a new page begins with the login
      this.#timer = setTimeout(() => {
        this.#socket = null;
        this.#open();
      }, this.#pause * (0.5 + Math.random() / 2)); // not all browsers at once
      this.#pause = Math.min(2 * this.#pause, LONGEST);
    });
  }

  #listen() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.close(), SILENT);
  }

  #wish(isFirst = false) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const after = Object.fromEntries([...this.#followed].map(([job, { last }]) => [job, last]));
    this.#socket.send(JSON.stringify({ follow: [...this.#followed.keys()], after, ...(isFirst && this.#revision !== null ? { since: this.#revision } : {}) }));
  }

  #take({ revision, jobs, gone, many, events }) {
    if (revision !== undefined) this.#revision = revision;
    if (jobs) this.#tell("jobs", jobs);
    if (gone) this.#tell("gone", gone);
    if (many) this.#tell("stale");
    for (const one of events ?? []) {
      const followed = this.#followed.get(one.job);
      if (!followed || one.n <= followed.last) continue;
      if (one.event.event !== "progress") followed.last = one.n;
      this.#tell("event", one);
    }
  }

  #tell(kind, what) {
    for (const f of [...(this.#listeners.get(kind) ?? [])]) f(what);
  }
}

export const events = new Events();
