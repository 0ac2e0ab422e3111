// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A volume of the server: what it is, and its planes in tiles. Never all of it.

import { get, samples } from "../api.js";
import { Samples } from "./gl.js";

export const TILE = 512; // samples of a side
const KEPT = 256 << 20; // bytes of tiles

/**
 * A result, or one of several volumes in its file.
 *
 *   const source = await Source.open(job, number);
 *   source.shape, type, pixelSize, levels, volumes
 *
 * Emits "changed" where the file is not the one any more that was opened.
 */
export class Source extends EventTarget {
  #tiles = new Map(); // key to Samples, those used last at the end
  #bytes = 0;
  #overview = null;
  #values = null;

  static async open(job, number, which = 0, signal = undefined) {
    const source = new Source();
    source.path = `results/${job}/${number}`;
    source.which = which;
    source.#take(await get(`${source.path}/volume`, { query: { which }, signal }));
    return source;
  }

  #take(facts) {
    this.facts = facts;
    [this.shape, this.type, this.pixelSize, this.levels, this.volumes] =
      [facts.shape, facts.sample_type, facts.pixel_size, facts.levels, facts.volumes];
  }

  get isFloat() {
    return this.type === "float32";
  }

  /** Levels of which planes across an axis can be had, the finest first: {number, rows, columns, step: [right, down], cost: bytes}. */
  levelsOf(axis) {
    const all = this.levels.map((level, number) => {
      const [rows, columns] = level.planes[axis], [down, right] = level.factor.filter((_, i) => i !== axis).map((factor) => factor * level.bins);
      return { number, rows, columns, step: [right, down], cost: level.costs[axis], overview: level.overview };
    }).filter((level) => level.cost !== null);
    const own = all.filter((level) => !level.overview); // an overview has means of several planes
    return own.length ? own : all;
  }

  /** Levels [low, high] of 0.5 to 99.5 % of the values, and their counts over a span. */
  values() {
    return (this.#values ??= this.#ask(() => get(`${this.path}/values`, { query: this.#query() })).catch((error) => {
      this.#values = null;
      throw error;
    }));
  }

  /** Has the server read the whole file once, where planes along an axis can't be had otherwise. */
  overview() {
    this.#overview ??= this.#ask(async () => this.#take(await get(`${this.path}/overview`, { query: this.#query() }))).finally(() => (this.#overview = null));
    return this.#overview;
  }

  /** A small copy: {data, shape, range: [low, high]} of uint8 (z, y, x). */
  async brick(most, signal) {
    const made = await this.#ask(() => samples("GET", `${this.path}/brick`, { query: this.#query({ most }), signal }));
    return { data: made.data, shape: made.shape, range: made.headers.get("X-Range").split(",").map(Number) };
  }

  /** A tile that was loaded: {samples, left, top}, where samples begin in its level; or undefined. */
  known(tile) {
    const key = keyOf(tile), found = this.#tiles.get(key);
    if (found) {
      this.#tiles.delete(key);
      this.#tiles.set(key, found);
    }
    return found;
  }

  /** Loads {level, axis, index, row, column}; it has a sample more at each side where the plane has one. */
  async load(tile, signal) {
    const query = this.#query({ ...tile, size: TILE, border: 1 });
    const { data, shape: [height, width] } = await this.#ask(() => samples("GET", `${this.path}/tile`, { query, signal }));
    const made = { samples: new Samples(data, width, height), left: Math.max(0, tile.column * TILE - 1), top: Math.max(0, tile.row * TILE - 1) };
    this.#tiles.set(keyOf(tile), made);
    this.#bytes += data.byteLength;
    for (const [key, old] of this.#tiles) {
      if (this.#bytes <= KEPT || old === made) break;
      this.#tiles.delete(key);
      this.#bytes -= old.samples.data.byteLength;
    }
    return made;
  }

  #query(more = {}) {
    return { which: this.which || undefined, stamp: this.facts.stamp, ...more };
  }

  async #ask(does) {
    try {
      return await does();
    } catch (error) {
      if (error.status === 409 || error.status === 404) this.dispatchEvent(new CustomEvent("changed", { detail: error }));
      throw error;
    }
  }
}

export function keyOf({ level, axis, index, row, column }) {
  return `${level} ${axis} ${index} ${row} ${column}`;
}
