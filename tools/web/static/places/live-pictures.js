// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of the place Live: a slice of each plane, where planes cut each other, and the frame of the camera.

import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";
import { ImageView } from "../viewer/image.js";

const GRIP = 6; // pixels beside a line that take it
const COLOURS = { x: "#e070d0", y: "#60b0ff", z: "#f0c040", axis: "#00e0e0" };
const PACE = 60; // ms between places of a line that is dragged

/** Lines across columns (which 0) or rows (which 1) that can be dragged: [key, which, position, colour]. */
class Lines {
  screenOnly = true;
  lines = [];
  isHeld = false;
  canMove = true;
  #held = null;
  #told = 0;

  constructor(surface, moved) {
    [this.surface, this.moved] = [surface, moved];
  }

  show(lines) {
    if (this.#held) return;
    this.lines = lines;
    this.surface.redraw();
  }

  paint(context, surface) {
    const [width, height] = surface.size;
    for (const [, which, position, colour] of this.lines) {
      const at = Math.round(surface.toPixel(position, position)[which]) + 0.5;
      for (const [style, line] of [["rgb(0 0 0 / 62%)", 3], [COLOURS[colour], 1]]) {
        [context.strokeStyle, context.lineWidth] = [style, line];
        context.beginPath();
        context.moveTo(which ? 0 : at, which ? at : 0);
        context.lineTo(which ? width : at, which ? at : height);
        context.stroke();
      }
    }
  }

  #near(at) {
    return this.canMove ? this.lines.find(([, which, position]) => Math.abs(at[which] - position) * this.surface.scale <= GRIP) : undefined;
  }

  hover(at) {
    const line = this.#near(at);
    return line ? ["col-resize", "row-resize"][line[1]] : null;
  }

  press(at) {
    this.#held = this.#near(at) ?? null;
    return Boolean(this.#held);
  }

  move(at) {
    const [key, which, , colour] = this.#held, now = performance.now();
    this.lines = this.lines.map((line) => (line === this.#held ? (this.#held = [key, which, at[which], colour]) : line));
    this.surface.redraw();
    if (now - this.#told < PACE) return;
    this.#told = now;
    this.moved(key, which, at[which]);
  }

  release() {
    const [key, which, position] = this.#held;
    this.#held = null;
    this.moved(key, which, position);
  }
}

class Pane {
  place = null;
  #pictures;
  #text = "";

  /** number: of a plane; or below: the text that stands below the frame or the volume */
  constructor(pictures, number, { label, below, isFrame = false, scaleBar = true } = {}) {
    this.#pictures = pictures;
    this.element = element("div", { class: `live-pane${isFrame ? " live-frame" : ""}` });
    const picture = element("div", { class: "live-picture" });
    this.element.append(picture);
    this.view = new ImageView(picture, { label: label ?? `Slice ${number + 1}`, scaleBar });
    this.lines = this.view.add(new Lines(this.view, (key, which, position) => {
      if (isFrame) pictures.tell("axis", position);
      else if (this.place) pictures.tell("command", { command: "move", index: key, offset: Math.round(10 * (this.place.begin[which] + position * this.place.step)) / 10 });
    }));
    if (!isFrame) this.view.addEventListener("levels", ({ detail }) => !this.view.isAutomatic && pictures.tell("levels", detail));
    if (below) {
      this.element.append(element("div", { class: "live-plane faint" }, ...below));
      return;
    }
    this.view.addEventListener("step", ({ detail }) => pictures.canSteer && pictures.tell("command", { command: "move", index: number, pixels: -detail }));
    this.input = element("input", { class: "form-control", type: "text", "aria-label": `Plane ${number + 1}`, autocomplete: "off", spellcheck: "false",
      title: "x, y or z and the pixels from the axis and the middle row, such as z=3.5 or x=0,size=512; or at=X:Y:Z,right=X:Y:Z,down=X:Y:Z,width=N,height=N",
      change: () => this.#enter(number) });
    this.remove = button("✕", () => pictures.tell("command", { command: "remove-plane", index: number }), { class: "btn plain small", "aria-label": `Remove plane ${number + 1}` });
    this.element.append(element("div", { class: "live-plane" }, this.input, this.remove));
  }

  showText(text) {
    const isTyped = document.activeElement === this.input && this.input.value !== this.#text;
    this.#text = text;
    if (!isTyped) this.input.value = text;
  }

  async #enter(number) {
    const text = this.input.value.trim();
    if (!text || text === this.#text || !(await this.#pictures.does("command", { command: "plane", index: number, plane: text }))) this.input.value = this.#text;
  }

  show({ image, caption, place, lines }, levels, fit = !this.view.image) {
    this.place = place ?? null;
    this.view.show(image, { fit, levels });
    this.view.caption = this.element.dataset.caption = caption;
    this.lines.show(lines);
  }

  clear() {
    this.view.clear();
    this.view.caption = "";
    this.place = null;
    this.lines.show([]);
  }

  close() {
    this.view.close();
    this.element.remove();
  }
}

/** The largest values of a coarse volume along one of its axes, which is chosen below. All of them come, so another one is shown at once. */
class VolumePane extends Pane {
  #newest = {};
  #lines = {};
  #along;
  #levels = null;

  constructor(pictures) {
    const along = element("select", { class: "form-select live-along", id: "live-along", "aria-label": "Direction of the maximum", title: "z: from above; x and y: from the side",
      change: () => this.#draw(true) }, ...["x", "y", "z"].map((name) => element("option", { value: name }, name)));
    super(pictures, null, { label: "Volume", scaleBar: false, below: [element("label", { for: "live-along" }, "Volume: maximum along"), along] });
    this.#along = along;
    along.value = "y"; // as the camera sees the sample
  }

  take(picture, levels) {
    this.#newest[picture.along] = picture;
    this.#levels = levels;
    if (picture.along === this.#along.value) this.#draw(!this.view.image);
  }

  takeLines(lines) {
    this.#lines = lines;
    if (this.view.image) this.lines.show(lines[this.#along.value] ?? []);
  }

  #draw(fit) {
    const picture = this.#newest[this.#along.value];
    if (picture) this.show({ ...picture, lines: this.#lines[picture.along] ?? picture.lines }, this.#levels, fit);
  }

  clear() {
    this.#newest = {};
    this.#lines = {};
    super.clear();
  }
}

/** All pictures in a grid. `does(kind, detail)` is asked for what a person wants: kinds are command, axis, levels; it resolves to whether it was done. */
export class Pictures {
  canSteer = true;
  panes = [];
  #levels = null;
  #isSetting = false;

  constructor(does) {
    this.does = does;
    this.frame = new Pane(this, null, { label: "Frame of the camera", below: ["Camera: the line is the axis"], isFrame: true });
    this.volume = new VolumePane(this);
    this.element = element("div", { class: "live-pictures" }, this.frame.element);
    this.setPlanes(["x=0", "y=0", "z=0"]);
  }

  tell(kind, detail) {
    if (!this.#isSetting) this.does(kind, detail);
  }

  setPlanes(planes) {
    while (this.panes.length > planes.length) this.panes.pop().close();
    while (this.panes.length < planes.length) {
      const pane = new Pane(this, this.panes.length);
      this.panes.push(pane);
      this.#behind.before(pane.element);
    }
    this.#layOut();
    planes.forEach((text, at) => this.panes[at].showText(text));
    this.#allow();
  }

  /** Whether the volume has a place. */
  setVolume(isShown) {
    if (isShown === Boolean(this.volume.element.parentElement)) return;
    if (isShown) this.frame.element.before(this.volume.element);
    else {
      this.volume.element.remove();
      this.volume.clear();
    }
    this.#layOut();
  }

  get #behind() {
    return this.volume.element.parentElement ? this.volume.element : this.frame.element;
  }

  #layOut() {
    const count = this.panes.length + (this.volume.element.parentElement ? 1 : 0), columns = Math.ceil(Math.sqrt(count + 1));
    this.element.style.setProperty("--columns", columns);
    this.frame.element.style.setProperty("--left", columns - (count % columns)); // what is left of the row
  }

  allow(canSteer) {
    this.canSteer = canSteer;
    this.#allow();
  }

  #allow() {
    for (const pane of this.panes) {
      pane.input.disabled = !this.canSteer;
      pane.remove.disabled = !this.canSteer || this.panes.length < 2;
      pane.lines.canMove = this.canSteer;
    }
    this.frame.lines.canMove = this.volume.lines.canMove = this.canSteer;
  }

  show(picture) {
    this.#isSetting = true;
    if (picture.event === "frame") this.frame.show({ ...picture, lines: [["axis", 0, picture.axis || picture.image.width / 2, "axis"]] }, null);
    else if (picture.event === "maximum") this.volume.take(picture, this.#levels);
    else this.panes[picture.index]?.show(picture, this.#levels);
    this.#isSetting = false;
  }

  /** Black and white of all slices; null: each by itself. */
  setLevels(levels) {
    this.#levels = levels;
    this.#isSetting = true;
    for (const { view } of [...this.panes, this.volume]) {
      if (levels) view.setLevels(...levels);
      else view.autoLevels();
    }
    this.#isSetting = false;
  }

  clear() {
    for (const pane of [...this.panes, this.volume, this.frame]) pane.clear();
  }
}
