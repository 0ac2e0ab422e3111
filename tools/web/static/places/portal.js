// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Portal: rules by which scans are reconstructed without anybody, and data sets of the portal.

import { get } from "../api.js";
import { element } from "../parts/dom.js";
import { StateLine } from "../parts/states.js";
import { Tabs } from "../parts/tabs.js";
import { RuleFile } from "./portal-file.js";
import { RuleList } from "./portal-rules.js";
import { PortalSearch } from "./portal-search.js";

const TABS = { rules: "Rules", search: "Search portal", file: "File of rules" };
const AGAIN = 2000; // ms between looks while the place is open

export class Place {
  #room;
  #tabs;
  #parts = new Map();
  #state = new StateLine();
  #timer = null;
  #open = "rules";

  constructor(room, frame) {
    this.#room = room;
    const { role } = frame.person, mine = ([name]) => (name !== "search" || role !== "viewer") && (name !== "file" || role === "admin");
    this.#tabs = new Tabs("Portal", Object.fromEntries(Object.entries(TABS).filter(mine)), undefined,
      { link: (name) => `#/portal/${name}`, prefix: "portal-tab-" });
    const { panels } = this.#tabs;
    for (const [name, panel] of Object.entries(panels)) {
      this.#parts.set(name, new { rules: RuleList, search: PortalSearch, file: RuleFile }[name](panel, frame));
    }
    room.append(element("h1", { class: "visually-hidden" }, "Portal"), this.#tabs.list, ...Object.values(panels), this.#state.element);
  }

  async show([name = "rules", ...parts]) {
    this.#room.hidden = false;
    this.#open = this.#parts.has(name) ? name : "rules";
    this.#tabs.show(this.#open);
    this.#tell(await get("rules"));
    await this.#parts.get(this.#open).show?.(parts);
    this.#follow();
  }

  hide() {
    this.#room.hidden = true;
    clearTimeout(this.#timer);
  }

  #tell(rules) {
    for (const part of this.#parts.values()) part.take(rules);
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
        await this.#parts.get(this.#open).refresh?.();
      } catch (error) {
        this.#state.failed(error.message);
      }
      if (!this.#room.hidden) this.#follow();
    }, AGAIN);
  }
}
