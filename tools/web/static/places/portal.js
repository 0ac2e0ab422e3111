// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Portal: rules by which scans are reconstructed without anybody, and data sets of the portal.

import { get } from "../api.js";
import { element } from "../parts/dom.js";
import { StateLine } from "../parts/states.js";
import { RuleFile } from "./portal-file.js";
import { RuleList } from "./portal-rules.js";
import { PortalSearch } from "./portal-search.js";

const TABS = [["rules", "Rules"], ["search", "Search portal"], ["file", "File of rules"]];
const AGAIN = 2000; // ms between looks while the place is open

export class Place {
  #room;
  #tabs = element("div", { class: "nav nav-tabs", role: "tablist", "aria-label": "Portal" });
  #panels = new Map();
  #state = new StateLine();
  #timer = null;
  #open = "rules";

  constructor(room, frame) {
    this.#room = room;
    const tabs = TABS.filter(([name]) => (name !== "search" || frame.person.role !== "viewer") && (name !== "file" || frame.person.role === "admin"));
    for (const [name, title] of tabs) {
      this.#tabs.append(element("a", { class: "nav-link", role: "tab", id: `portal-tab-${name}`, href: `#/portal/${name}`, "aria-controls": `portal-${name}` }, title));
      const panel = element("div", { role: "tabpanel", id: `portal-${name}`, "aria-labelledby": `portal-tab-${name}`, hidden: true });
      this.#panels.set(name, { panel, part: new { rules: RuleList, search: PortalSearch, file: RuleFile }[name](panel, frame) });
    }
    this.#tabs.addEventListener("keydown", (event) => this.#walk(event));
    room.append(element("h1", { class: "visually-hidden" }, "Portal"), this.#tabs, ...[...this.#panels.values()].map(({ panel }) => panel), this.#state.element);
  }

  async show([name = "rules", ...parts]) {
    this.#room.hidden = false;
    this.#open = this.#panels.has(name) ? name : "rules";
    for (const [one, { panel }] of this.#panels) {
      const tab = this.#tabs.querySelector(`#portal-tab-${one}`), chosen = one === this.#open;
      panel.hidden = !chosen;
      tab.classList.toggle("active", chosen);
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    const { part } = this.#panels.get(this.#open);
    this.#tell(await get("rules"));
    await part.show?.(parts);
    this.#follow();
  }

  hide() {
    this.#room.hidden = true;
    clearTimeout(this.#timer);
  }

  #tell(rules) {
    for (const { part } of this.#panels.values()) part.take(rules);
    if (!rules.file) this.#state.empty("Nothing watches for new scans here.");
    else if (rules.problem) this.#state.failed(`${rules.problem}. The rules go on as they were.`);
    else if (!rules.is_watched) this.#state.stale(`Nothing watches by ${rules.file} now: start tomo-web with --watch.`);
    else this.#state.done(`Watches by ${rules.file}`);
  }

  #follow() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      if (this.#room.hidden) return;
      try {
        this.#tell(await get("rules"));
        await this.#panels.get(this.#open).part.refresh?.();
      } catch (error) {
        this.#state.failed(error.message);
      }
      if (!this.#room.hidden) this.#follow();
    }, AGAIN);
  }

  #walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...this.#tabs.children];
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  }
}
