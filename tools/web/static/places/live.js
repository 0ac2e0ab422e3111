// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Live: slices of a camera while the sample turns.

import { ask, get } from "../api.js";
import { element } from "../parts/dom.js";
import { Form } from "../parts/form.js";
import { button, emptyPage, nextButton, StateLine } from "../parts/states.js";
import { Histogram } from "../viewer/histogram.js";
import { percentiles, sample } from "../viewer/levels.js";
import { LiveSettings, liveSchema, LiveStream } from "./live-settings.js";
import { Pictures } from "./live-pictures.js";

const VOLUME_RATE = 1; // coarse volumes a second where somebody wants to see them
const CALM = 300; // ms without a drag after which a grey range is a setting
const SCAN = "/scan", ELEMENTS = "/elements"; // choices that are no name of a camera
const OPEN = ["angles", "slices"];

export class Place {
  #room;
  #frame;
  #canSteer;
  #state = null;
  #some = new Map(); // values of each plane, for the histogram
  #calm = null;
  #said = 0;
  #last = Promise.resolve();
  #waiting = null; // the last command, while it waits for the one before
  #stream = new LiveStream();
  #settings = new LiveSettings();
  #line = new StateLine();
  #numbers = element("dl", { class: "live-numbers" });
  #source = element("select", { class: "form-select", id: "live-source", "aria-label": "Source", change: () => this.#turn() });
  #text = element("input", { class: "form-control wide", id: "live-text", type: "text", "aria-label": "Place of a scan", autocomplete: "off", spellcheck: "false", hidden: true });
  #start = nextButton("Start", () => this.#begin(), { id: "live-start" });
  #pause = button("Pause", () => this.#command({ command: this.#state?.state === "paused" ? "resume" : "pause" }), { id: "live-pause" });
  #stop = button("Stop", () => this.#do(() => ask("POST", "live/stop")), { id: "live-stop" });
  #count = number("live-count", "Frames for darks and flats", { min: 1, max: 10000, value: 10 });
  #darks = this.#fields("darks", "Take darks", "The next frames are darks: close the beam first");
  #flats = this.#fields("flats", "Take flats", "The next frames are flats: take the sample out of the beam first");
  #add = button("Add plane", () => this.#command({ command: "add-plane", plane: "z=0" }), { id: "live-add" });
  #volume = button("Show volume", () => this.#settings.update({ "volume-rate": this.#hasVolume ? "" : VOLUME_RATE }),
    { id: "live-volume", title: "The largest values of a coarse volume, in which the planes are lines; volume-size and volume-rate are among the settings" });
  #seconds = number("live-seconds", "Seconds of the past", { min: 0, value: 20, step: "any" });
  #keep = button("Keep", () => this.#command(this.#state?.is_keeping ? { command: "stop-keeping" } : { command: "keep", seconds: Number(this.#seconds.value) }),
    { id: "live-keep", title: "Writes the frames of the last seconds and all that follow to a file among the results" });

  constructor(room, frame) {
    [this.#room, this.#frame] = [room, frame];
    this.#canSteer = frame.person.role !== "viewer";
    this.#empty = element("div", { class: "live-empty" });
    this.pictures = new Pictures((kind, detail) => this.#wish(kind, detail));
    this.pictures.allow(this.#canSteer);
    const histogram = element("div", { class: "live-histogram" });
    this.form = new Form(this.#settings, { schema: liveSchema(), open: OPEN, prefix: "live-" });
    const commands = element("div", { class: "toolbar live-commands" }, this.#darks, this.#flats, this.#count, element("span", { class: "faint" }, "frames"),
      this.#add, this.#volume, element("span", { class: "live-group" }, this.#keep, this.#seconds, element("span", { class: "faint" }, "s")));
    this.#fold = button("Show", () => this.#unfold(), { class: "btn plain small settings-fold", "aria-expanded": "false" });
    this.#panel = element("aside", { class: "settings-panel", "aria-label": "Live settings" }, commands,
      element("div", { class: "toolbar settings-bar" }, element("h2", {}, "Settings"), this.#fold), this.form.element);
    this.#work = element("div", { class: "work live-work", hidden: true },
      element("div", { class: "work-main" }, this.pictures.element, histogram, this.#line.element, this.#numbers),
      element("div", { class: "settings-room" }, this.#panel));
    room.append(element("h1", { class: "visually-hidden" }, "Live"),
      element("div", { class: "toolbar live-bar" }, element("label", { for: "live-source" }, "Source"), this.#source, this.#text, this.#start, this.#pause, this.#stop),
      this.#empty, this.#work);
    this.#histogram = new Histogram(histogram);
    this.#histogram.addEventListener("levels", ({ detail }) => this.#wish("levels", detail));
    this.#histogram.addEventListener("automatic", () => this.#settings.update({ minimum: "", maximum: "" }));
    this.#settings.addEventListener("change", ({ detail: { names } }) => names.some((name) => ["minimum", "maximum"].includes(name)) && this.#level());
    this.#settings.addEventListener("change", () => this.#showVolume());
    this.#stream.addEventListener("state", ({ detail }) => this.#take(detail));
    this.#stream.addEventListener("picture", ({ detail }) => this.#show(detail));
  }

  #empty;
  #panel;
  #fold;
  #work;
  #histogram;

  async show() {
    this.#room.hidden = false;
    const told = await get("live");
    const chosen = this.#source.value;
    this.#source.replaceChildren(...told.sources.map(({ name, title }) => element("option", { value: name }, title)),
      element("option", { value: SCAN }, "A scan that is played"), ...(told.elements ? [element("option", { value: ELEMENTS }, "Elements of GStreamer")] : []));
    if (chosen) this.#source.value = chosen;
    this.#turn();
    const demo = told.sources.find(({ name }) => name === "demo");
    this.#empty.replaceChildren(emptyPage(told.empty, ...(demo && this.#canSteer ? [nextButton("Start demo camera", () => {
      this.#source.value = "demo";
      this.#turn();
      this.#begin();
    }, { id: "live-demo" })] : [])));
    this.#take(told);
    this.#stream.open();
  }

  hide() {
    this.#room.hidden = true;
    this.#stream.close();
  }

  #fields(kind, text, title) {
    return button(text, () => this.#command(this.#state?.taking === kind ? { command: "cancel-fields" } : { command: kind, count: Number(this.#count.value) }),
      { id: `live-${kind}`, title });
  }

  #unfold() {
    const open = this.#panel.classList.toggle("is-open");
    this.#fold.setAttribute("aria-expanded", String(open));
    this.#fold.textContent = open ? "Hide" : "Show";
  }

  #turn() {
    const isText = [SCAN, ELEMENTS].includes(this.#source.value);
    this.#text.hidden = !isText;
    if (this.#source.value === SCAN && !this.#text.value) this.#text.value = this.#frame.dataset?.place ?? ""; // the chosen one
    this.#text.placeholder = this.#source.value === SCAN ? "FOLDER/PATH of a scan" : "aravissrc camera-name=...";
    this.#text.setAttribute("aria-label", this.#source.value === SCAN ? "Place of a scan" : "Elements of GStreamer");
  }

  #begin() {
    const { value } = this.#source, text = this.#text.value.trim();
    this.pictures.clear();
    this.#some.clear();
    return this.#do(() => ask("POST", "live/start", { json: value === SCAN ? { place: text } : value === ELEMENTS ? { elements: text } : { source: value } }));
  }

  /** One behind the other, so that none overtakes a later one. Where a plane is dragged faster than the server answers, its newest place counts. */
  #command(json) {
    const last = this.#waiting, isPlace = (one) => one.command === "move" && one.offset !== undefined;
    if (last && isPlace(last.json) && isPlace(json) && last.json.index === json.index) {
      last.json = json;
      return last.done;
    }
    const one = (this.#waiting = { json });
    one.done = this.#last = this.#last.then(() => {
      if (this.#waiting === one) this.#waiting = null;
      return this.#do(() => ask("POST", "live/command", { json: one.json }));
    });
    return one.done;
  }

  /** Resolves to whether it was done. */
  async #do(does) {
    try {
      await does();
      return true;
    } catch (error) {
      this.#frame.note("error", error.message);
      return false;
    }
  }

  /** What a person does in a picture. */
  #wish(kind, detail) {
    if (kind === "levels") {
      this.pictures.setLevels(detail);
      this.#histogram.levels = detail;
      clearTimeout(this.#calm);
      if (this.#canSteer) this.#calm = setTimeout(() => this.#settings.update({ minimum: Number(detail[0].toPrecision(6)), maximum: Number(detail[1].toPrecision(6)) }), CALM);
      return true;
    }
    if (!this.#canSteer) return false;
    return kind === "axis" ? this.#settings.update({ axis: Math.round(10 * detail) / 10 }) : this.#command(detail);
  }

  #take(told) {
    const before = this.#state?.state;
    this.#state = told;
    const { state, text, tone } = told, isOn = ["working", "running", "paused"].includes(state);
    if (state === "working" && before && before !== "working" && !["running", "paused"].includes(before)) this.pictures.clear();
    this.#empty.hidden = state !== "empty";
    this.#work.hidden = state === "empty";
    this.#start.hidden = isOn;
    this.#start.disabled = !this.#canSteer;
    this.#source.disabled = this.#text.disabled = isOn || !this.#canSteer;
    for (const one of [this.#pause, this.#stop]) [one.hidden, one.disabled] = [!isOn, !this.#canSteer];
    for (const one of [this.#darks, this.#flats, this.#count, this.#add, this.#keep, this.#seconds]) one.disabled = !isOn || !this.#canSteer;
    for (const [one, kind] of [[this.#darks, "darks"], [this.#flats, "flats"]]) {
      one.textContent = `${told.taking === kind ? "Cancel" : "Take"} ${kind}`;
      one.disabled ||= Boolean(told.taking) && told.taking !== kind;
    }
    this.#pause.textContent = state === "paused" ? "Resume" : "Pause";
    this.#keep.textContent = told.is_keeping ? "Stop keeping" : "Keep";
    const whose = told.source && isOn ? ` (${told.source}, started by ${told.person})` : "";
    if (state === "working") this.#line.working(`${text}${whose}`);
    else if (state === "failed") this.#line.failed(text);
    else if (tone === "warning") this.#line.stale(text.replace(/^⚠ /, ""));
    else this.#line.done(`${text}${whose}`);
    this.#numbers.replaceChildren(...told.numbers.map(([name, value]) => element("div", {}, element("dt", {}, name),
      element("dd", { "data-name": name, "data-tone": ["Lost", "Left out"].includes(name) && Number(value) > 0 ? "warning" : "" }, value))));
    if (told.planes.length) this.pictures.setPlanes(told.planes);
    this.#settings.take(told);
    this.pictures.volume.takeLines(told.volume_lines);
    this.#volume.disabled = !this.#canSteer;
    const since = this.#said || Date.now() / 1000 - 5;
    for (const { level, text: said, time } of told.log ?? []) {
      if (time > since) this.#frame.note(level, said);
      this.#said = Math.max(this.#said, time);
    }
  }

  #show(picture) {
    this.pictures.show(picture);
    if (picture.event !== "slice") return;
    this.#some.set(picture.index, sample(picture.image, 8192));
    const some = this.#values();
    this.#histogram.setValues(some);
    this.#histogram.levels = this.#levels() ?? percentiles(some);
  }

  get #hasVolume() {
    return this.#settings.values["volume-rate"] > 0;
  }

  #showVolume() {
    this.pictures.setVolume(this.#hasVolume);
    this.#volume.textContent = this.#hasVolume ? "Hide volume" : "Show volume";
  }

  /** Those of all slices, in their order of size. */
  #values() {
    const planes = [...this.#some].filter(([index]) => index < this.pictures.panes.length).map(([, some]) => some);
    const all = new Float64Array(planes.reduce((sum, some) => sum + some.length, 0));
    planes.reduce((at, some) => (all.set(some, at), at + some.length), 0);
    return all.sort();
  }

  /** Black and white of the settings; null where they are automatic. */
  #levels() {
    const { minimum, maximum } = this.#settings.values;
    if (minimum === undefined && maximum === undefined) return null;
    const [low, high] = percentiles(this.#values());
    return [minimum ?? low, maximum ?? high];
  }

  #level() {
    const levels = this.#levels();
    this.pictures.setLevels(levels);
    this.#histogram.levels = levels ?? percentiles(this.#values());
  }
}

function number(id, label, attributes) {
  return element("input", { id, type: "number", class: "form-control number", "aria-label": label, ...attributes });
}
