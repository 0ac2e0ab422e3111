// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person has set for the chosen data set. The server keeps it, for each person and data set, and decides what is right.

import { get, patch, post } from "./api.js";

// Any other value of these may lead to another axis.
const OF_AXIS = ["axis-method", "axis-range", "axis-metric", "axis-rows", "entry", "detector"];
/** Refused beside a given axis. */
export const TO_FIND_AXIS = ["axis-index", "axis-method", "axis-range", "axis-metric", "axis-rows"];

let schema = null;

/** {sections, parameters, about: a Map by name} of GET schema; asked for once. */
export function parameters() {
  schema ??= get("schema").then((told) => ({ ...told, about: new Map(told.parameters.map((one) => [one.name, one])) }));
  schema.catch(() => (schema = null));
  return schema;
}

/**
 * values   what differs from the defaults, as the library has it; `texts` the same as fields show them
 * problems a sentence by the name of each value that is wrong, which changes nothing
 *
 * Emits "change" with detail {names, changed}: parameters that were set, or that a problem is told of, and those of them that have
 * another value now; and "failed" with detail {error} where the server could not be asked.
 */
export class Settings extends EventTarget {
  values = {};
  texts = {};
  problems = {};
  /** Axis that the last slice has found, or null. */
  found = null;
  /** Of the axis that is set, where a method has found it. */
  uncertainty = null;
  #dataset = null;
  #past = [];
  #future = [];
  #turn = Promise.resolve();
  #canKeep = true;
  #complaints = new Set(); // problems that another value of any parameter may have solved

  /** Those of another data set, null: of none. */
  load(dataset, { canKeep = true } = {}) {
    this.#dataset = dataset?.id ?? null;
    this.#canKeep = canKeep;
    return this.#inTurn(async (number) => {
      const kept = number === null ? { values: {}, texts: {} } : await get(`datasets/${number}/settings`);
      if (number !== this.#dataset) return; // another one was chosen meanwhile
      this.#past = [];
      this.#future = [];
      this.found = this.uncertainty = null;
      const names = new Set([...Object.keys(this.values), ...Object.keys(kept.values), ...Object.keys(this.problems)]);
      this.problems = {};
      this.#take(kept, names);
    });
  }

  /** Sets a value as a field has it; "" goes back to the default. A wrong one is told in `problems`, and changes nothing. */
  set(name, text) {
    return this.update({ [name]: text });
  }

  /** Sets several in one step; the others stay, also those that another page has set. Resolves to whether they are set. */
  update(changes, { uncertainty = null } = {}) {
    return this.#inTurn((number) => this.#send(number, changes, uncertainty));
  }

  /** Sets these, and all others to their defaults. */
  replace(values) {
    return this.#inTurn((number) => number === this.#dataset
      && this.#send(number, { ...Object.fromEntries(Object.keys(this.values).map((name) => [name, ""])), ...values }));
  }

  reset() {
    return this.replace({});
  }

  /** The axis counts from now on, in place of all that says how it is found; a roll in degrees with it, where one is given. */
  takeAxis(axis, { uncertainty = null, roll = null } = {}) {
    const none = Object.fromEntries(TO_FIND_AXIS.map((name) => [name, ""]));
    return this.update({ ...none, axis: Math.round(axis * 100) / 100, ...(roll === null ? {} : { roll: Math.round(roll * 1e4) / 1e4 }) }, { uncertainty });
  }

  /** Tells a problem of a value that only a run has shown. */
  complain(name, text) {
    this.problems[name] = text;
    this.#complaints.add(name);
    this.#tell([name]);
  }

  /** A slice has found the axis. */
  know(axis) {
    this.found = axis;
    this.#tell([]);
  }

  /** Takes the values that the server keeps: somebody has loaded a file. */
  reload() {
    return this.#inTurn(async (number) => {
      const kept = await get(`datasets/${number}/settings`);
      if (number !== this.#dataset) return;
      this.#remember();
      this.#take(kept, namesOf(this.values, kept.values));
    });
  }

  /** Resolves when all that was set is on the server. */
  saved() {
    return this.#turn;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo() {
    return this.#go(this.#past, this.#future);
  }

  redo() {
    return this.#go(this.#future, this.#past);
  }

  isDefault(name) {
    return !(name in this.values);
  }

  /** One behind the other, so that no answer overtakes a later one; each for the data set of its time. */
  #inTurn(does) {
    const number = this.#dataset, done = this.#turn.then(() => does(number));
    this.#turn = done.catch(() => {}); // who has asked for it is told
    return done;
  }

  #go(source, target) {
    return this.#inTurn(async (number) => {
      if (number !== this.#dataset || !source.length) return false;
      const before = this.values, wanted = source[source.length - 1];
      const kept = await this.#keep(number, Object.fromEntries(namesOf(before, wanted).map((name) => [name, wanted[name] ?? ""])));
      if (!kept || number !== this.#dataset) return false;
      source.pop();
      target.push(before);
      const names = [...namesOf(before, kept.values), ...Object.keys(this.problems)];
      this.problems = {};
      this.#take(kept, names);
      return true;
    });
  }

  async #send(number, changes, uncertainty = null) {
    if (number === null) return false;
    const kept = await this.#keep(number, changes);
    if (!kept || number !== this.#dataset) return false;
    const names = Object.keys(changes), changed = namesOf(this.values, kept.values);
    for (const name of names) delete this.problems[name];
    if (changed.length) this.#remember();
    if (changed.includes("axis")) this.uncertainty = uncertainty;
    this.#take(kept, [...changed, ...names]);
    return true;
  }

  /** Resolves to all values that count then, or to null where one of the changes is wrong. */
  async #keep(number, changes) {
    try {
      if (this.#canKeep) return await patch(`datasets/${number}/settings`, { values: changes });
      const checked = await post("settings/check", { values: { ...this.values, ...changes } });
      for (const [name, problem] of Object.entries(checked.problems)) throw Object.assign(new Error(problem), { field: name, status: 422 });
      return checked;
    } catch (error) {
      if (!error.status || error.status === 401 || error.status >= 500) {
        this.dispatchEvent(new CustomEvent("failed", { detail: { error } }));
      } else if (number === this.#dataset) {
        const name = error.field && error.field !== "settings" ? error.field : Object.keys(changes)[0];
        this.problems[name] = error.message;
        this.#tell([name]);
      }
      return null;
    }
  }

  #remember() {
    this.#past.push(this.values);
    this.#future = [];
  }

  #take({ values, texts }, names) {
    const before = this.values;
    this.values = values;
    this.texts = texts;
    const changed = namesOf(before, values), solved = [...this.#complaints];
    for (const name of solved) delete this.problems[name];
    this.#complaints.clear();
    if (changed.some((name) => OF_AXIS.includes(name))) this.found = null;
    this.#tell([...new Set([...names, ...solved])], changed);
  }

  #tell(names, changed = []) {
    this.dispatchEvent(new CustomEvent("change", { detail: { names, changed } }));
  }
}

/** Names of values that differ. */
export function namesOf(one, other) {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name]);
}
