// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// A plane through a volume of the server: a coarse picture first, then tiles at the resolution that the window needs.

import { ImageView } from "./image.js";
import { sample, TOLD } from "./levels.js";
import { keyOf, TILE } from "./source.js";

const REST = 80; // ms without a movement before fine tiles are asked for
const QUICK = 64 << 20; // bytes to read for each of many planes, at which scrolling is smooth

/**
 * An ImageView of one plane: `axis` 0 shows (y, x) across z, 1 (z, x) across y, 2 (z, y) across x. Events beside those of an
 * ImageView: "index" where another plane is wanted, "failed" (detail: an Error), "coming" where something is read that takes long.
 *
 * `plane.frame.dataset` tells what is seen: index, level, and complete where nothing finer is to come.
 */
export class PlaneView extends ImageView {
  #source = null;
  #index = 0;
  #shown = null; // {index, level, fine}: what the picture is made of
  #loading = new Map(); // key to AbortController, of fine tiles
  #coarse = null; // index whose coarse picture is on its way
  #timer = 0;
  #some = null; // values of the first picture
  #told = null; // those of them that the view has
  automatic = null; // levels that are automatic for all planes of a volume

  constructor(container, axis, options) {
    super(container, options);
    this.axis = axis;
    this.addEventListener("moved", () => this.#look());
    this.addEventListener("step", ({ detail }) => this.#step(detail));
  }

  close() {
    this.#stop();
    super.close();
  }

  get source() {
    return this.#source;
  }

  /** Shows another volume, or none; the place stays where it has the same shape. */
  setSource(source, { index = null } = {}) {
    this.#stop();
    const isOther = !source || !this.#source || String(source.shape) !== String(this.#source.shape);
    this.#source = this.#shown = this.#some = this.automatic = null;
    if (!source) return this.clear();
    if (isOther) {
      this.clear();
      const [rows, columns] = source.shape.filter((_, i) => i !== this.axis);
      this.area = [0, 0, columns, rows];
      this.fit();
    }
    this.#index = Math.min(index ?? (isOther ? Math.floor(source.shape[this.axis] / 2) : this.#index), source.shape[this.axis] - 1);
    this.#source = source; // not before: nobody shall look for what was chosen of the last one
    this.#look();
  }

  get index() {
    return this.#index;
  }

  set index(index) {
    if (!this.#source) return;
    index = Math.min(Math.max(Math.round(index), 0), this.#source.shape[this.axis] - 1);
    if (index === this.#index) return;
    this.#index = index;
    this.#look();
    this.dispatchEvent(new CustomEvent("index", { detail: index }));
  }

  get depth() {
    return this.#source ? this.#source.shape[this.axis] : 0;
  }

  /** Whether the value under the pointer is a sample of the file, and no mean of several ones. */
  get isExact() {
    return this.#shown?.level === 0 && this.#shown.index === this.#index;
  }

  /** Levels of the whole volume where they are known, else those of this plane. */
  autoLevels() {
    if (this.automatic) this.setLevels(...this.automatic, TOLD);
    else super.autoLevels();
  }

  #step(steps) {
    this.index = this.#index + steps;
  }

  #stop() {
    clearTimeout(this.#timer);
    for (const control of this.#loading.values()) control.abort();
    this.#loading.clear();
    this.#coarse = null;
  }

  // What is wanted

  #levels() {
    return this.#source.levelsOf(this.axis);
  }

  /** The coarsest level that has a sample for each pixel of the screen. */
  #fineLevel(levels) {
    const most = 1 / Math.min(1, this.density);
    return levels.findLast(({ step }) => Math.max(...step) <= most * 1.001) ?? levels[0];
  }

  /** The finest level that is one tile and comes quickly, for a picture while the wheel turns. */
  #coarseLevel(levels) {
    const found = levels.find(({ rows, columns, cost }) => rows <= TILE && columns <= TILE && cost <= QUICK) ?? levels[levels.length - 1];
    const fine = this.#fineLevel(levels);
    return found.number < fine.number ? fine : found; // in a small window
  }

  /** Tiles of a level that are seen, those in the middle first. */
  #seenTiles(level) {
    const [left, top, right, bottom] = this.seen, [stepX, stepY] = [level.step[0] * TILE, level.step[1] * TILE];
    const last = [Math.ceil(level.columns / TILE) - 1, Math.ceil(level.rows / TILE) - 1], tiles = [];
    const range = (low, high, step, most) => [Math.max(0, Math.floor(low / step)), Math.min(most, Math.ceil(high / step) - 1)];
    const [x0, x1] = range(left, right, stepX, last[0]), [y0, y1] = range(top, bottom, stepY, last[1]);
    for (let row = y0; row <= y1; row++) for (let column = x0; column <= x1; column++) tiles.push(this.#tile(level, row, column));
    const far = ({ row, column }) => Math.hypot(row - (y0 + y1) / 2, column - (x0 + x1) / 2);
    return tiles.sort((a, b) => far(a) - far(b));
  }

  #tile(level, row, column, index = this.#index) {
    return { level: level.number, axis: this.axis, index, row, column };
  }

  /** All tiles of a coarse level. */
  #coarseTiles(level, index = this.#index) {
    const tiles = [];
    for (let row = 0; row * TILE < level.rows; row++) {
      for (let column = 0; column * TILE < level.columns; column++) tiles.push(this.#tile(level, row, column, index));
    }
    return tiles;
  }

  #look() {
    if (!this.#source || !this.isShown) return; // one that comes into sight looks then
    const levels = this.#levels();
    if (!levels.length) return void this.#readOnce();
    this.#draw();
    this.#loadCoarse(this.#coarseLevel(levels));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#loadFine(), REST);
  }

  /** Planes along this axis can't be had before the server has read the file once. */
  async #readOnce() {
    const source = this.#source;
    this.note = "The file is being read once for planes along this axis…";
    this.redraw();
    this.dispatchEvent(new Event("coming"));
    try {
      await source.overview();
      if (this.#source === source) this.note = "";
    } catch (error) {
      if (this.#source === source) this.note = error.message;
      this.#fail(error);
    }
    this.redraw();
    if (this.#source === source && this.#levels().length) this.#look();
  }

  // Loading

  /** One at a time: where the wheel turns faster than pictures come, some are left out, and the last one comes. */
  async #loadCoarse(level) {
    const source = this.#source, index = this.#index;
    const missing = this.#coarseTiles(level).filter((tile) => !source.known(tile));
    if (this.#coarse !== null || !missing.length) return;
    this.#coarse = index;
    try {
      await Promise.all(missing.map((tile) => source.load(tile)));
    } catch (error) {
      this.#fail(error);
    }
    if (this.#source !== source) return;
    this.#coarse = null;
    this.#draw(index);
    if (this.#index !== index) this.#loadCoarse(level);
    else this.#loadFine();
  }

  #loadFine() {
    const source = this.#source;
    if (!source || this.#coarse !== null) return;
    const tiles = this.#seenTiles(this.#fineLevel(this.#levels())).filter((tile) => !source.known(tile));
    const wanted = new Set(tiles.map(keyOf));
    for (const [key, control] of [...this.#loading]) {
      if (wanted.has(key)) continue;
      control.abort(); // nobody looks at it
      this.#loading.delete(key);
    }
    for (const tile of tiles) if (!this.#loading.has(keyOf(tile))) this.#loadTile(source, tile);
    this.#draw();
  }

  async #loadTile(source, tile) {
    const control = new AbortController(), key = keyOf(tile);
    this.#loading.set(key, control);
    try {
      await source.load(tile, control.signal);
      if (!control.signal.aborted) this.#draw();
    } catch (error) {
      if (!control.signal.aborted) this.#fail(error);
    } finally {
      if (this.#loading.get(key) === control) this.#loading.delete(key);
    }
  }

  #fail(error) {
    this.dispatchEvent(new CustomEvent("failed", { detail: error }));
  }

  // Drawing

  /** What is known of the plane that is wanted, or of one on the way to it; else the last picture stays. */
  #draw(index = this.#index) {
    const source = this.#source, levels = this.#levels(), coarse = this.#coarseLevel(levels), fine = this.#fineLevel(levels);
    const below = this.#known(this.#coarseTiles(coarse, index), coarse);
    const above = index === this.#index && fine !== coarse ? this.#known(this.#seenTiles(fine), fine) : [];
    if (!below.length && !above.length) return;
    const isComplete = index === this.#index && (fine === coarse || this.#seenTiles(fine).every((tile) => source.known(tile)));
    // While finer tiles come, coarser ones of the last look stay below them.
    const older = this.#shown?.index === index && !isComplete ? this.#shown.above : [];
    const level = isComplete ? fine.number : coarse.number;
    this.#shown = { index, level, above: isComplete ? above : [...older.filter((one) => !above.some((part) => part.samples === one.samples)), ...above] };
    this.#some ??= sample(below[0]?.samples ?? above[0].samples);
    const [rows, columns] = source.shape.filter((_, i) => i !== this.axis);
    this.showParts([...below, ...this.#shown.above], { width: columns, height: rows, pixelSize: source.pixelSize, some: this.#isFresh() });
    Object.assign(this.frame.dataset, { index, level, complete: isComplete });
    if (isComplete) this.dispatchEvent(new Event("complete"));
  }

  /** Values for automatic levels, once. */
  #isFresh() {
    const some = this.#some === this.#told ? null : this.#some;
    this.#told = this.#some;
    return some;
  }

  #known(tiles, level) {
    const parts = [];
    for (const tile of tiles) {
      const found = this.#source.known(tile);
      if (found) parts.push(this.#part(found, tile, level));
    }
    return parts;
  }

  #part({ samples, left, top }, { row, column }, { step }) {
    const [right, down] = step, [, , columns, rows] = this.area;
    return { samples, x: left * right, y: top * down, step,
             core: [column * TILE * right, row * TILE * down, Math.min(columns, (column + 1) * TILE * right), Math.min(rows, (row + 1) * TILE * down)] };
  }
}
