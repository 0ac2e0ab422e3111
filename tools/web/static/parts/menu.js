// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Menus that unfold below a button. (Those of Debian's Bootstrap want Popper, which its package does not bring.)

import { element } from "./dom.js";

/** Makes a button show and hide a list. Escape and a click elsewhere hide it; arrows walk through its items. */
export function unfolds(button, list) {
  const turn = (shown) => {
    list.classList.toggle("show", shown);
    button.setAttribute("aria-expanded", String(shown));
  };
  turn(false);
  button.addEventListener("click", () => turn(!list.classList.contains("show")));
  document.addEventListener("click", (event) => {
    if (!button.contains(event.target) && (!list.contains(event.target) || event.target.closest("a, .closes"))) turn(false);
  });
  for (const one of [button, list]) {
    one.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape" && list.classList.contains("show")) {
        turn(false);
        button.focus();
      } else if (step && list.classList.contains("show")) {
        event.preventDefault();
        const items = [...list.querySelectorAll("a, button")];
        items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
      }
    });
  }
  return { hide: () => turn(false) };
}

/** A button with a menu: items are [text, function], null is a line between. Returns an element. */
export function menuButton(text, items, attributes = {}) {
  const button = element("button", { type: "button", class: "btn dropdown-toggle", ...attributes }, text);
  const list = element("ul", { class: "dropdown-menu" }, ...items.map((item) => element("li", {}, item
    ? element("button", { type: "button", class: "dropdown-item closes", click: item[1] }, item[0]) : element("hr", { class: "dropdown-divider" }))));
  unfolds(button, list);
  return element("div", { class: "dropdown" }, button, list);
}
