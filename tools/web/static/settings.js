// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person has set for the chosen data set. The server keeps it, for each person and data set.

import { ask, get } from "./api.js";

/** Emits "change" (detail: {name}, or {} where all may differ). `values` has what is set, `problems` one sentence by the name of a wrong value. */
export class Settings extends EventTarget {
  values = {};
  problems = {};
  #dataset = null;

  /** Those of another data set, null: of none. */
  async load(dataset) {
    this.#dataset = dataset?.id ?? null;
    this.problems = {};
    this.values = dataset ? await kept(dataset.id) : {};
    this.#changed({});
  }

  /** Sets a value as a field has it; "" goes back to the default. A wrong one is told in `problems`, and changes nothing. */
  async set(name, text) {
    const values = { ...this.values, [name]: text };
    if (text === "") delete values[name];
    try {
      const kept = await (await ask("PUT", `datasets/${this.#dataset}/settings`, { json: { values } })).json();
      this.values = kept.values;
      delete this.problems[name];
    } catch (failure) {
      this.problems[name] = failure.message;
    }
    this.#changed({ name });
  }

  #changed(detail) {
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

async function kept(id) {
  try {
    return (await get(`datasets/${id}/settings`)).values;
  } catch (failure) {
    if (failure.status === 404) return {}; // nothing is set yet
    throw failure;
  }
}
