// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Dialogs: modal, with a title that is read aloud; Escape cancels, and the focus goes back to where it was.

import { element } from "./dom.js";

let number = 0;

/** Shows `content` (elements) until a button is pressed; resolves to the value of that one, null for Escape. Buttons are
 *  {text, value, next, danger}; a function as `accept` is asked before a value counts, and returns false where it does not. */
export function show(title, content, buttons = [{ text: "Close", value: null }], { wide = false, accept = () => true } = {}) {
  return new Promise((resolve) => {
    const id = `dialog-${++number}`;
    let result = null;
    const row = buttons.map(({ text, value, next, danger }) => element("button", {
      type: next ? "submit" : "button", class: `btn${next ? " next" : ""}${danger ? " danger" : ""}`,
      click: next ? null : () => finish(value),
    }, text));
    const chosen = buttons.find((one) => one.next);
    const form = element("form", { method: "dialog", novalidate: true, submit: (event) => {
      event.preventDefault();
      if (chosen) finish(chosen.value);
    } }, element("h2", { id }, title), ...content, element("div", { class: "buttons" }, ...row));
    const dialog = element("dialog", { "aria-labelledby": id, class: wide ? "wide" : null, close: () => {
      dialog.remove();
      resolve(result);
    } }, form);
    async function finish(value) {
      if (value !== null && !(await accept(value))) return;
      result = value;
      dialog.close();
    }
    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector("input, select, textarea") ?? form.querySelector(".btn.next") ?? row[0]).focus();
  });
}

/** Asks yes or no; resolves to true or false. */
export async function confirm(text, { title = "Are you sure?", button = "Yes", danger = false } = {}) {
  return (await show(title, [element("p", {}, text)],
    [{ text: "Cancel", value: null }, { text: button, value: true, next: true, danger }])) === true;
}

/**
 * Asks for values; resolves to {name: value}, or null. Fields are {name, label, type, value, options, hint, required, attributes}: type is one
 * of <input>, "select" (options: [[value, text]...]), "textarea" or "checkbox" (value true or false). `send` (async, of the values) is
 * done before the dialog closes: what it throws is told in the dialog, at the field that it names.
 */
export async function ask(title, fields, { button = "Save", text = "", send = async () => {} } = {}) {
  const made = fields.map((field) => formField(field));
  const said = element("p", { class: "wrong", role: "alert" });
  const values = () => Object.fromEntries(made.map(({ field, value }) => [field.name, value()]));
  const accept = async () => {
    said.textContent = "";
    made.forEach((one) => one.say(""));
    const missing = made.filter(({ field, value }) => field.required && value() === "");
    missing.forEach((one) => one.say("This is needed."));
    if (missing.length) {
      missing[0].input.focus();
      return false;
    }
    try {
      await send(values());
      return true;
    } catch (error) {
      const at = made.find(({ field }) => field.name === error.field);
      if (at) {
        at.say(error.message);
        at.input.focus();
      } else {
        said.textContent = error.message;
      }
      return false;
    }
  };
  const content = [text ? element("p", {}, text) : null, ...made.map((one) => one.element), said].filter(Boolean);
  const done = await show(title, content, [{ text: "Cancel", value: null }, { text: button, value: true, next: true }], { accept });
  return done ? values() : null;
}

/** {field, element, input, value(), say(text)} of one field as ask() takes it; for other forms, too. */
export function formField(field) {
  const { name, label, type = "text", value = "", options = [], hint = "", required = false, attributes = {} } = field;
  const id = `field-${++number}`;
  const common = { id, name, required, "aria-describedby": `${id}-hint ${id}-wrong`, ...attributes };
  const check = type === "checkbox";
  const input = type === "select"
    ? element("select", { ...common, class: "form-select" }, ...options.map(([key, text]) => element("option", { value: key, selected: String(key) === String(value) }, text)))
    : type === "textarea" ? element("textarea", { ...common, class: "form-control", rows: 4 }, value)
      : element("input", { ...common, type, class: check ? "form-check-input" : "form-control", ...(check ? { checked: value === true } : { value }) });
  const wrong = element("div", { id: `${id}-wrong`, class: "wrong" });
  const title = element("label", { for: id, class: check ? "form-check-label" : "form-label" }, label);
  return {
    field, input,
    element: element("div", { class: check ? "field form-check" : "field" }, ...(check ? [input, title] : [title, input]),
      element("div", { id: `${id}-hint`, class: "form-text" }, hint), wrong),
    value: () => (check ? input.checked : input.value),
    say(text) {
      wrong.textContent = text;
      input.classList.toggle("is-invalid", Boolean(text));
      input.setAttribute("aria-invalid", String(Boolean(text)));
    },
  };
}
