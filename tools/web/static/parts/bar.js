// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The bar at the top: the places in the order of the work, and the person. On a phone it folds to a menu.

import { element } from "./dom.js";
import { unfolds } from "./menu.js";

const THEMES = [["system", "As the system"], ["dark", "Dark"], ["light", "Light"]];

export class Bar {
  #links = new Map();
  #places = element("ul", { class: "navbar-nav me-auto" });
  /** places: [[name, title]...]; actions: [[text, function]...] of the person's menu */
  constructor(room, person, places, actions, frame) {
    for (const [name, title] of places) {
      const link = element("a", { class: "nav-link", href: `#/${name}`, id: `place-link-${name}` }, title);
      this.#links.set(name, link);
      this.#places.append(element("li", { class: "nav-item" }, link));
    }
    const folded = element("div", { class: "collapse navbar-collapse", id: "places" }, this.#places, personMenu(person, actions));
    const unfold = element("button", { type: "button", class: "navbar-toggler", "aria-controls": "places" }, "☰ Menu");
    unfolds(unfold, folded);
    room.replaceChildren(element("nav", { class: "navbar navbar-expand-lg", "aria-label": "Places" },
      element("a", { class: "navbar-brand", href: "#/scans" }, element("img", { src: "icon.svg", width: 24, height: 24, alt: "" }), "gst-tomo"),
      unfold, folded));
    frame.addEventListener("dataset", () => this.#follow(frame.dataset));
  }

  mark(name) {
    for (const [other, link] of this.#links) {
      if (other === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #follow(dataset) {
    for (const name of ["scans", "axis", "reconstruct"]) {
      this.#links.get(name)?.setAttribute("href", dataset ? `#/${name}/${dataset.id}` : `#/${name}`);
    }
  }
}

function personMenu(person, actions) {
  const themes = THEMES.map(([name, text]) => element("button", { type: "button", class: "dropdown-item", "data-name": name, click: () => {
    window.theme.choose(name);
    showChosen();
  } }, text));
  const showChosen = () => themes.forEach((item) => item.setAttribute("aria-pressed", String(item.dataset.name === window.theme.chosen)));
  showChosen();
  const list = element("ul", { class: "dropdown-menu dropdown-menu-end" }, ...themes.map((item) => element("li", {}, item)),
    actions.length ? element("li", {}, element("hr", { class: "dropdown-divider" })) : null,
    ...actions.map(([text, does]) => element("li", {}, element("button", { type: "button", class: "dropdown-item closes", click: does }, text))));
  const button = element("button", { type: "button", class: "btn plain nav-link dropdown-toggle", id: "person", title: `${person.name}: ${person.role}` }, person.name);
  unfolds(button, list);
  return element("div", { class: "navbar-nav dropdown" }, button, list);
}
