// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What the server tells of live slices, and what a person sets of them.

import { address, get, patch } from "../api.js";
import { namesOf } from "../settings.js";

const FIRST = 500, LONGEST = 15000; // ms until it tries again
const NOT_LOGGED_IN = 4401;
const KINDS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

let schema = null;

/** {sections, parameters} of live slices, asked for once. */
export function liveSchema() {
  schema ??= get("live/schema");
  schema.catch(() => (schema = null));
  return schema;
}

/** Parameters of live slices, as a Form wants them: the same for all persons. */
export class LiveSettings extends EventTarget {
  values = {};
  texts = {};
  problems = {};
  #turn = Promise.resolve();
  #waiting = null; // the last change, while it waits for the one before

  /** What the server has. */
  take({ values, texts }) {
    const names = namesOf(this.values, values);
    [this.values, this.texts] = [values, texts];
    for (const name of names) delete this.problems[name];
    if (names.length) this.#tell(names);
  }

  isDefault(name) {
    return !(name in this.values);
  }

  set(name, text) {
    return this.update({ [name]: text });
  }

  /** One behind the other, so that none overtakes a later one. Of changes of the same parameters that wait, the newest one counts. */
  update(values) {
    const last = this.#waiting;
    if (last && String(Object.keys(last.values)) === String(Object.keys(values))) {
      last.values = values;
      return last.done;
    }
    const one = (this.#waiting = { values });
    one.done = this.#turn = this.#turn.then(() => {
      if (this.#waiting === one) this.#waiting = null;
      return this.#send(one.values);
    });
    return one.done;
  }

  async #send(values) {
    const names = Object.keys(values);
    for (const name of names) delete this.problems[name];
    try {
      const answer = await patch("live/settings", { values });
      Object.assign(this.problems, answer.problems);
      this.take(answer);
    } catch (error) {
      this.problems[error.field ?? names[0]] = error.message;
    }
    this.#tell(names);
  }

  #tell(names) {
    this.dispatchEvent(new CustomEvent("change", { detail: { names, changed: names } }));
  }
}

/** The stream of slices while somebody looks. Emits "state" and "picture", each with what the server tells as detail. */
export class LiveStream extends EventTarget {
  #socket = null;
  #timer = null;
  #pause = FIRST;
  #wanted = false;

  open() {
    this.#wanted = true;
    if (!this.#socket) this.#begin();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #begin() {
    const url = address("live/stream");
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => (this.#pause = FIRST));
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") {
        const told = JSON.parse(data);
        if (!told.ping) this.dispatchEvent(new CustomEvent("state", { detail: told }));
        return;
      }
      this.dispatchEvent(new CustomEvent("picture", { detail: unpacked(data) }));
      // The next one when this one has been drawn; a tab that is not seen draws none.
      requestAnimationFrame(() => socket.readyState === WebSocket.OPEN && socket.send("got"));
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.#socket === socket) this.#socket = null;
      if (!this.#wanted || code === NOT_LOGGED_IN) return;
      this.#timer = setTimeout(() => this.#wanted && !this.#socket && this.#begin(), this.#pause);
      this.#pause = Math.min(2 * this.#pause, LONGEST);
    });
  }
}

/** A picture: a line of JSON, and samples behind it; those that are shares of a range become values. */
function unpacked(buffer) {
  const bytes = new Uint8Array(buffer), end = bytes.indexOf(10);
  const about = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const [height, width] = about.shape;
  let data = new KINDS[about.type](buffer.slice(end + 1));
  if (about.range) {
    const [low, high] = about.range, step = (high - low) / 65535;
    data = Float32Array.from(data, (share) => low + share * step);
  }
  return { ...about, image: { data, width, height } };
}
