// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The right side of a place: the settings, their files, presets, and the same as a command or a pipeline.

import { address, ask, get, post } from "../api.js";
import { copy } from "./copy.js";
import { show } from "./dialog.js";
import { element } from "./dom.js";
import { Form } from "./form.js";
import { menuButton } from "./menu.js";
import { askTemplates } from "./templates.js";

const panels = new WeakMap();

/** The panel of a frame: one, which moves to the place that is shown. */
function settingsPanel(frame) {
  if (!panels.has(frame)) panels.set(frame, new SettingsPanel(frame));
  return panels.get(frame);
}

/** Puts the panel into the room of a place, with the cursor in the field that somebody wants to set. */
export function showSettings(frame, room) {
  const panel = settingsPanel(frame), wanted = frame.wantedField;
  room.append(panel.element);
  frame.wantedField = null;
  if (wanted) panel.find(wanted);
}

class SettingsPanel {
  #frame;
  #undo = element("button", { type: "button", class: "btn plain small", click: () => this.#frame.settings.undo() }, "Undo");
  #redo = element("button", { type: "button", class: "btn plain small", click: () => this.#frame.settings.redo() }, "Redo");
  #fold = element("button", { type: "button", class: "btn plain small settings-fold", "aria-expanded": "false", click: () => this.#turn() }, "Show");
  #file = element("input", { type: "file", accept: ".conf,text/plain", hidden: true, "aria-label": "A reco.conf", change: () => this.#load() });

  constructor(frame) {
    this.#frame = frame;
    this.form = new Form(frame.settings);
    const file = menuButton("File", [["Load settings…", () => this.#file.click()], ["Save settings…", () => this.#save()], ["All to defaults", () => frame.settings.reset()],
      null, ["Copy command", () => this.#copy()], ["Show as pipeline…", () => this.#showPipeline()]], { class: "btn plain small dropdown-toggle" });
    file.querySelector(".dropdown-menu").classList.add("dropdown-menu-end");
    this.element = element("aside", { class: "settings-panel", "aria-label": "Settings" },
      element("div", { class: "toolbar settings-bar" }, element("h2", {}, "Settings"), this.#fold, this.#undo, this.#redo,
        element("button", { type: "button", class: "btn plain small", click: () => askTemplates(frame) }, "Presets"), file, this.#file),
      this.form.element);
    frame.settings.addEventListener("change", () => this.#enable());
    frame.settings.addEventListener("failed", ({ detail }) => frame.note("error", detail.error.message));
    this.#enable();
  }

  /** Shows a field, also where the settings are folded. */
  find(name) {
    this.#turn(true);
    return this.form.find(name);
  }

  #turn(open = !this.element.classList.contains("is-open")) {
    this.element.classList.toggle("is-open", open);
    this.#fold.setAttribute("aria-expanded", String(open));
    this.#fold.textContent = open ? "Hide" : "Show";
  }

  #enable() {
    this.#undo.disabled = !this.#frame.settings.canUndo;
    this.#redo.disabled = !this.#frame.settings.canRedo;
  }

  get #path() {
    return `datasets/${this.#frame.dataset.id}`;
  }

  async #load() {
    const [file] = this.#file.files;
    this.#file.value = "";
    if (!file || !this.#frame.dataset) return;
    await this.#tell(async () => {
      const answer = await ask("PUT", `${this.#path}/settings.conf`, { body: await file.arrayBuffer(), headers: { "Content-Type": "text/plain" } });
      const { left_out: left } = await answer.json();
      await this.#frame.settings.reload();
      this.#frame.note("info", `Settings of ${file.name}${left.length ? `, without ${left.join(", ")}` : ""}`);
    });
  }

  async #save() {
    if (!this.#frame.dataset) return;
    await this.#frame.settings.saved();
    const link = element("a", { href: address(`${this.#path}/settings.conf`), download: "" });
    document.body.append(link); // Firefox wants it in the page
    link.click();
    link.remove();
  }

  async #copy() {
    if (!this.#frame.dataset) return;
    await this.#tell(async () => {
      await this.#frame.settings.saved();
      const { text } = await get(`${this.#path}/command`);
      if (await copy(text)) this.#frame.note("info", "The command is in the clipboard");
      else await showText("The same as a command", [["Command", text]]);
    });
  }

  async #showPipeline() {
    if (!this.#frame.dataset) return;
    await this.#tell(async () => {
      this.#frame.note("info", "The plan is made: the axis is found if nothing tells it");
      const { script, graph } = await post(`${this.#path}/plan`, { values: this.#frame.settings.values });
      await showText("The same as a pipeline", [["Lines for a shell", script], ["JSON", JSON.stringify(graph, null, 2)]]);
    });
  }

  async #tell(does) {
    try {
      await does();
    } catch (error) {
      this.#frame.note("error", error.message);
    }
  }
}

/** Texts to copy: pairs of a title and a text. */
export function showText(title, texts) {
  return show(title, texts.map(([name, text]) => {
    const area = element("textarea", { class: "form-control mono", rows: texts.length > 1 ? 8 : 4, readonly: true, "aria-label": name, spellcheck: "false" });
    area.value = text;
    return element("div", { class: "field" }, element("div", { class: "form-label" }, name), area);
  }), [{ text: "Close", value: null }], { wide: true });
}
