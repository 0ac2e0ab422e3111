// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Tabs: arrow keys, Home and End go through them.

import { element } from "./dom.js";

let number = 0;

/**
 * tabs: {name: title}; `choose` gets the name of the one that is shown now. panels has an element for each name. `link` gives the
 * address of a name: such tabs are links, and who answers addresses calls show(). `prefix` begins the ids of tabs.
 */
export class Tabs {
  #tabs = new Map();
  #link;
  panels = {};
  chosen = null;

  constructor(label, tabs, choose = () => {}, { link = null, prefix = `tabs-${++number}-` } = {}) {
    this.choose = choose;
    this.#link = link;
    this.list = element("div", { class: "nav nav-tabs", role: "tablist", "aria-label": label, keydown: (event) => this.#key(event) });
    this.element = element("div", { class: "tabs" }, this.list);
    for (const [name, title] of Object.entries(tabs)) {
      const id = `${prefix}${name}`, shared = { class: "nav-link", role: "tab", id, "aria-controls": `${id}-panel` };
      const tab = link ? element("a", { ...shared, href: link(name) }, title)
        : element("button", { ...shared, type: "button", click: () => this.show(name, true) }, title);
      this.panels[name] = element("div", { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id, hidden: true, class: "tab-panel" });
      this.#tabs.set(name, tab);
      this.list.append(tab);
      this.element.append(this.panels[name]);
    }
    this.show(Object.keys(tabs)[0]);
  }

  /** `tell`: whether choose() is called. */
  show(name, tell = false) {
    this.chosen = name;
    for (const [one, tab] of this.#tabs) {
      const isShown = one === name;
      tab.classList.toggle("active", isShown);
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      this.panels[one].hidden = !isShown;
    }
    if (tell) this.choose(name);
  }

  setHidden(name, isHidden) {
    this.#tabs.get(name).hidden = isHidden;
    if (isHidden && this.chosen === name) this.show([...this.#tabs.keys()][0], true);
  }

  #key(event) {
    const names = [...this.#tabs.keys()].filter((name) => !this.#tabs.get(name).hidden), at = names.findIndex((name) => this.#tabs.get(name) === event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const name = names[(to + names.length) % names.length], tab = this.#tabs.get(name);
    tab.focus();
    if (this.#link) tab.click();
    else this.show(name, true);
  }
}
