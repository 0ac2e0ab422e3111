// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings with a name: presets and templates, in a dialogue.

import { ask as askServer, get, post } from "../api.js";
import { ask, show } from "./dialog.js";
import { element } from "./dom.js";

/** Shows presets and templates; one that is chosen is set. */
export async function askTemplates(frame) {
  let presets, templates;
  try {
    [presets, templates] = await Promise.all([get("presets"), get("templates")]);
  } catch (error) {
    frame.note("error", error.message);
    return;
  }
  const rows = (items, made) => (items.length ? element("ul", { class: "list-group templates" }, ...items.map((one) => element("li", { class: "list-group-item" }, ...made(one))))
    : element("p", { class: "faint" }, "There is none yet."));
  const take = (settings, name) => async (event) => {
    const dialog = event.target.closest("dialog");
    if (await frame.settings.update(settings)) frame.note("info", `Settings of ${name}`);
    dialog.close();
  };
  const content = [
    element("h3", {}, "Presets"),
    rows(presets, ({ name, text, settings, wanted }) => [
      element("button", { type: "button", class: "btn small", click: take(settings, name) }, name),
      element("span", { class: "faint" }, text + (wanted.length ? ` (${wanted.join(", ")})` : ""))]),
    element("h3", {}, "Templates"),
    rows(templates, (one) => [
      element("button", { type: "button", class: "btn small", click: take(one.settings, one.name) }, one.name),
      element("span", { class: "faint" }, [Object.entries(one.settings).map(([name, value]) => `${name} ${value}`).join(", ") || "nothing", one.is_shared ? "shared" : "",
        one.may_change ? "" : `of ${one.owner}`].filter(Boolean).join("; ")),
      one.may_change ? element("button", { type: "button", class: "btn plain small", "aria-label": `Remove ${one.name}`, click: (event) => forget(frame, one, event) }, "Remove") : null]),
  ];
  if (await show("Presets and templates", content, [{ text: "Close", value: null }, { text: "Save as template…", value: "save", next: true }], { wide: true }) === "save") {
    await saveTemplate(frame);
  }
}

async function forget(frame, template, event) {
  const item = event.target.closest("li");
  try {
    await askServer("DELETE", `templates/${template.id}`);
    item.remove();
  } catch (error) {
    frame.note("error", error.message);
  }
}

/** Saves the settings under a name, without those that belong to one data set alone. */
async function saveTemplate(frame) {
  const done = await ask("Save as template", [{ name: "name", label: "Name", required: true, attributes: { maxlength: 100 } },
    { name: "is_shared", label: "All persons see it", type: "checkbox" }], {
    text: "All settings that differ from their defaults, without those of one data set alone, such as its axis and rows.",
    send: (values) => post("templates", { ...values, settings: frame.settings.values }),
  });
  if (done) frame.note("info", `Template ${done.name} is saved`);
}
