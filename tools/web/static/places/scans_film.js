// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The images of a data set as a film: projections, flats and darks, raw or corrected, and the sinogram of a row.

import { samples } from "../api.js";
import { element } from "../parts/dom.js";
import { button, StateLine } from "../parts/states.js";
import { ImageView } from "../viewer/image.js";

const KINDS = { projections: "Projections", flats: "Flats", "flats-after": "Flats after", darks: "Darks" };
const MODES = { raw: "Raw", transmission: "Transmission", absorption: "Absorption" };
const REST = 120;   // ms without a movement of the slider until the exact image is read
const FOLLOW = 60;  // ms without a movement of the pointer until the sinogram of its row is read
const TICK = 80;    // ms between two images of the film that plays
const TAB = Math.random().toString(36).slice(2);

/** A row of an image. */
class RowLine {
  row = null;

  paint(context, surface) {
    if (this.row === null) return;
    const y = surface.toPixel(0, this.row + 0.5)[1], [width] = surface.size;
    for (const [colour, wide] of [["rgb(0 0 0 / 60%)", 3], ["#35c9cb", 1]]) {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.stroke();
    }
  }
}

export class Film {
  #frame;
  #dataset = null;
  #facts = null;
  #kind = "projections";
  #wanted = "transmission"; // that counts wherever the scan has flats
  #mode = "transmission";
  #films = new Map();        // by kind and mode: {numbers, captions, images, binning}
  #number = 0;
  #row = 0;
  #isHeld = false;
  #asking = new Map();       // channel to AbortController
  #timers = new Map();
  #playing = null;
  #stale = false;
  #kinds = choice(KINDS, "kind", (kind) => this.chooseKind(kind));
  #modes = choice(MODES, "mode", (mode) => this.chooseMode(mode));
  #showsSinogram = button("Sinogram", () => this.#turnSinogram(), { class: "btn small", id: "show-sinogram", "aria-pressed": "false",
    title: "Of the row under the pointer; a click holds the row, another one lets it go" });
  #play = button("Play", () => this.#turnPlay(), { class: "btn small", id: "play", "aria-pressed": "false" });
  #slider = element("input", { type: "range", id: "frame-slider", min: 0, max: 0, value: 0, "aria-label": "Image", input: () => this.#slide(this.#slider.valueAsNumber) });
  #field = element("input", { type: "number", class: "form-control frame-number", id: "frame", min: 0, max: 0, value: 0, "aria-label": "Number of the image",
    change: () => this.#slide(this.#field.valueAsNumber || 0) });
  #of = element("span", { class: "faint" });
  #sinogramRoom = element("div", { class: "sinogram", hidden: true });
  #line = new RowLine();
  #viewLine = new RowLine();
  state = new StateLine();

  constructor(room, frame, next) {
    this.#frame = frame;
    const pictures = element("div", { class: "pictures" });
    room.append(
      element("div", { class: "toolbar" }, element("span", { class: "choice", role: "group", "aria-label": "Images" }, ...this.#kinds.values()),
        element("span", { class: "choice", role: "group", "aria-label": "Shown as" }, ...this.#modes.values()), this.#showsSinogram,
        button("Auto", () => this.view.autoLevels(), { class: "btn small", title: "Black and white at 0.5 and 99.5 % of the values" })),
      pictures, this.#sinogramRoom,
      element("div", { class: "film-bar" }, this.#play, this.#slider, this.#field, this.#of),
      element("div", { class: "foot" }, this.state.element, next));
    this.view = new ImageView(pictures, { label: "Image of the scan", histogram: true, readout: true, scaleBar: true });
    this.sinogram = new ImageView(this.#sinogramRoom, { label: "Sinogram", readout: true });
    this.view.add(this.#line);
    this.sinogram.add(this.#viewLine);
    this.view.addEventListener("step", ({ detail }) => this.#slide(this.#number + detail));
    this.view.addEventListener("pointer", ({ detail }) => detail && !this.#isHeld && this.#showRow(Math.floor(detail.y)));
    this.view.addEventListener("pick", ({ detail }) => this.#hold(Math.floor(detail.y)));
    this.sinogram.addEventListener("step", ({ detail }) => this.#showRow(this.#row + detail));
    this.sinogram.addEventListener("pick", ({ detail }) => this.#kind === "projections" && this.#slide(Math.floor(detail.y)));
    frame.settings.addEventListener("change", () => this.#settingsChanged());
  }

  /** Begins with a data set, whose facts are known; or goes on with the one that is shown. */
  show(dataset) {
    if (this.#dataset?.id === dataset.id && this.#dataset.stamp === dataset.stamp) {
      if (this.#stale) this.refresh();
      return;
    }
    this.hide();
    this.#films.clear();
    this.view.clear();
    this.sinogram.clear();
    this.#dataset = dataset;
    this.#facts = dataset.facts;
    this.state.done();
    this.#showControls();
    if (!this.#facts) {
      this.state.failed(dataset.problem ?? "nobody has looked at the files yet");
      return;
    }
    this.#isHeld = false;
    this.#kind = this.#facts.kind === "sinograms" ? "sinogram" : "projections";
    this.#row = Math.floor((this.#facts.height - 1) / 2);
    this.#number = this.#kind === "sinogram" ? this.#row : 0;
    this.#mode = this.#wanted;
    this.#fitSlider();
    this.view.autoLevels();
    this.refresh();
  }

  /** Nothing plays and nothing is asked for. */
  hide() {
    if (this.#playing) this.#turnPlay();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const asking of this.#asking.values()) asking.abort();
    this.#timers.clear();
    this.#asking.clear();
  }

  /** Asks for what is shown now, the exact image first. */
  refresh() {
    this.#stale = false;
    this.#films.clear();
    this.#askImage();
    if (this.#kind === "projections") this.#askFilm();
    this.#askSinogram();
  }

  chooseKind(kind) {
    this.#kind = kind;
    this.#number = Math.min(this.#number, this.#count() - 1);
    this.#fitSlider();
    this.view.autoLevels();
    if (!this.#film()) this.#askFilm();
    if (kind === "projections" || this.#film()) this.#slide(this.#number);
  }

  chooseMode(mode) {
    this.#wanted = this.#mode = mode;
    this.#mark();
    this.view.autoLevels();
    this.sinogram.autoLevels();
    this.#askImage();
    if (!this.#film()) this.#askFilm();
    this.#askSinogram();
  }

  #settingsChanged() {
    if (!this.#facts) return;
    this.#stale = true;
    if (this.view.frame.offsetParent) this.#wait("stale", REST, () => this.refresh());
  }

  #count() {
    return this.#kind === "sinogram" ? this.#facts.height : this.#facts[this.#kind];
  }

  /** Flats and darks, which come all at once. */
  #isStack() {
    return this.#kind !== "projections" && this.#kind !== "sinogram";
  }

  #film() {
    return this.#films.get(this.#kind === "projections" ? `projections ${this.#mode}` : this.#kind);
  }

  // What is asked for

  /** The next wish of a channel takes the place of the last one. */
  async #ask(channel, path, query, show, isAgain = false) {
    this.#asking.get(channel)?.abort();
    const asking = new AbortController(), { id } = this.#dataset;
    this.#asking.set(channel, asking);
    try {
      const answer = await samples("GET", `datasets/${id}/${path}`, { query: { ...query, tab: TAB }, signal: asking.signal });
      if (!asking.signal.aborted) show(answer, JSON.parse(answer.headers.get("X-Facts")));
    } catch (error) {
      if (asking.signal.aborted) return; // another one is wanted
      if (error.status === 409 && !isAgain) await this.#ask(channel, path, query, show, true); // an older wish came behind this one
      else this.state.failed(error.message);
    }
  }

  #askImage() {
    this.#clear("rest");
    if (!this.#facts) return;
    if (this.#isStack()) return this.#film() ? this.#showNearest() : this.#askFilm();
    if (!this.view.image) this.state.working("The first image is read");
    const kind = this.#kind, number = this.#number;
    this.#ask("image", "image", { kind, number, mode: this.#mode }, (answer, facts) => {
      if (kind !== this.#kind || number !== this.#number) return;
      this.#takeMode(facts.mode);
      this.#showImage(answer.data, ...answer.shape.slice(-2).reverse(), facts.binning);
      this.state.done(facts.caption);
    });
  }

  #askFilm() {
    const kind = this.#kind, mode = this.#mode, wanted = this.#wanted;
    this.#ask(`film-${kind}`, "film", { kind, mode }, (answer, facts) => {
      const [, height, width] = answer.shape, key = kind === "projections" ? `projections ${facts.mode}` : kind;
      const images = facts.numbers.map((_, at) => answer.data.subarray(at * width * height, (at + 1) * width * height));
      this.#films.set(key, { ...facts, images, width, height });
      if (kind === "projections" && wanted === this.#wanted) this.#takeModes(facts); // else another one was chosen meanwhile
      if (kind === this.#kind && kind !== "projections") this.#showNearest();
    });
  }

  #askSinogram() {
    if (this.#sinogramRoom.hidden || !this.#facts || this.#facts.kind !== "scan") return;
    const row = this.#row;
    this.#line.row = row;
    this.view.redraw();
    this.#ask("sinogram", "image", { kind: "sinogram", number: row, mode: this.#mode }, (answer, facts) => {
      const [height, width] = answer.shape.slice(-2);
      this.sinogram.show({ data: answer.data, width, height });
      this.sinogram.caption = `${facts.caption}${this.#isHeld ? ", held" : ""}`;
      this.#markView();
    });
  }

  // What is shown

  #showImage(data, width, height, binning) {
    const { width: columns, height: rows } = this.#facts, isSinogram = this.#kind === "sinogram";
    this.view.show({ data, width, height, pixelSize: isSinogram ? null : this.#facts["pixel-size"] ?? null, step: binning,
      ...(binning > 1 ? { size: [columns, rows] } : {}) });
  }

  /** The image of the film that is nearest. */
  #showNearest() {
    const film = this.#film();
    if (!film) return false;
    const distances = film.numbers.map((number) => Math.abs(number - this.#number));
    const at = distances.indexOf(Math.min(...distances));
    this.#showImage(film.images[at], film.width, film.height, film.binning);
    this.state.done(film.captions[at]);
    return film.numbers[at] === this.#number && (film.binning === 1 || this.#isStack());
  }

  #slide(number) {
    if (!this.#facts) return;
    this.#number = Math.min(Math.max(0, number), this.#count() - 1);
    this.#slider.value = this.#field.value = this.#number;
    this.#markView();
    if (this.#isStack() && !this.#film()) return; // it is on its way
    const isExact = this.#showNearest();
    this.#clear("rest");
    if (isExact) this.#asking.get("image")?.abort();
    else if (!this.#playing) this.#wait("rest", REST, () => this.#askImage());
  }

  #markView() {
    this.#viewLine.row = this.#kind === "projections" && this.sinogram.image ? this.#number : null;
    this.sinogram.redraw();
  }

  #takeMode(mode) {
    this.#mode = mode;
    this.#mark();
  }

  #takeModes({ mode, modes }) {
    for (const [name, one] of this.#modes) one.disabled = !modes.includes(name);
    this.#takeMode(mode);
  }

  #showControls() {
    const isScan = this.#facts?.kind === "scan";
    for (const [kind, one] of this.#kinds) one.hidden = !isScan || !(kind === "projections" || this.#facts[kind] > 0);
    for (const one of [...this.#modes.values(), this.#showsSinogram, this.#play]) one.hidden = !isScan;
    for (const one of [this.#slider, this.#field]) one.disabled = !this.#facts;
    if (!isScan) this.#sinogramRoom.hidden = true;
    this.#mark();
  }

  #fitSlider() {
    const last = Math.max(0, this.#count() - 1);
    this.#slider.max = this.#field.max = last;
    this.#slider.value = this.#field.value = Math.min(this.#number, last);
    this.#of.textContent = `of 0 … ${last}`;
    this.#play.disabled = this.#kind !== "projections";
    this.#mark();
  }

  #mark() {
    for (const [kind, one] of this.#kinds) one.setAttribute("aria-pressed", String(kind === this.#kind));
    for (const [mode, one] of this.#modes) one.setAttribute("aria-pressed", String(mode === (this.#kind === "projections" ? this.#mode : "raw")));
    this.#line.row = this.#sinogramRoom.hidden || this.#kind !== "projections" ? null : this.#row;
    this.view.redraw();
  }

  // Sinogram

  #turnSinogram() {
    this.#sinogramRoom.hidden = !this.#sinogramRoom.hidden;
    this.#showsSinogram.setAttribute("aria-pressed", String(!this.#sinogramRoom.hidden));
    this.#mark();
    this.#askSinogram();
  }

  #hold(row) {
    if (this.#sinogramRoom.hidden || this.#kind !== "projections") return;
    this.#isHeld = !this.#isHeld;
    this.#row = -1;
    this.#showRow(row);
  }

  #showRow(row) {
    if (this.#sinogramRoom.hidden || !this.#facts || this.#kind !== "projections") return;
    row = Math.min(Math.max(0, row), this.#facts.height - 1);
    if (row === this.#row) return;
    this.#row = row;
    this.#wait("row", FOLLOW, () => this.#askSinogram());
  }

  // The film plays

  #turnPlay() {
    if (this.#playing) {
      clearInterval(this.#playing);
      this.#playing = null;
      this.#wait("rest", REST, () => this.#askImage());
    } else {
      this.#playing = setInterval(() => this.#tick(), TICK);
    }
    this.#play.textContent = this.#playing ? "Stop" : "Play";
    this.#play.setAttribute("aria-pressed", String(Boolean(this.#playing)));
  }

  #tick() {
    const film = this.#film();
    if (film) this.#slide(film.numbers.find((number) => number > this.#number) ?? film.numbers[0]);
  }

  #wait(name, pause, what) {
    this.#clear(name);
    this.#timers.set(name, setTimeout(what, pause));
  }

  #clear(name) {
    clearTimeout(this.#timers.get(name));
  }
}

function choice(texts, name, chosen) {
  return new Map(Object.entries(texts).map(([key, text]) => [key, button(text, () => chosen(key), { class: "btn small", id: `${name}-${key}`, "aria-pressed": "false" })]));
}
