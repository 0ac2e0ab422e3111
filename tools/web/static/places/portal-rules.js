// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Rules, and what the chosen one has found: what became of each scan, from its files to the portal.

import { get, patch, post } from "../api.js";
import { element } from "../parts/dom.js";
import { button, emptyPage } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { timeText } from "../parts/words.js";

// Words and tones of states; the mark says the same as the colour.
export const FOUND = { waiting: ["… waiting", ""], ordered: ["▶ job runs or waits", ""], registering: ["… registering", ""], done: ["✓ done", "good"],
  failed: ["✕ failed", "failure"], "passed over": ["– passed over", ""] };
const RULE = { active: ["✓ active", "good"], paused: ["⏸ paused", "warning"], stopped: ["✕ nothing watches", "warning"] };

export class RuleList {
  #frame;
  #rules = [];
  #chosen = null;
  #told = "";
  #list = element("div", { class: "list-group rule-list", role: "group", "aria-label": "Rules" });
  #title = element("h2", {});
  #facts = element("dl", { class: "facts" });
  #problem = element("p", { class: "wrong", role: "status" });
  #run = button("Run now", () => this.#change("run"), { title: "Looks at once, and tries again what failed" });
  #pause = button("Pause", () => this.#change("pause"));
  #side = element("div", { class: "rule-side" });
  #table;
  #body = element("div", { class: "rules", hidden: true });
  #empty = emptyPage("No rules yet. The administrator writes them into a file: tomo-web --watch RULES reconstructs new scans without anybody.");

  constructor(room, frame) {
    this.#frame = frame;
    const found = element("div", { class: "rule-found" });
    this.#table = new Table(found, {
      label: "What the rule has found", sort: "", limit: 50, empty: "It has found nothing yet.",
      filters: [{ name: "search", title: "Search names and places" },
        { name: "state", title: "State", options: [["", "All states"], ...Object.entries(FOUND).map(([name, [text]]) => [name, text])] }],
      columns: [
        { name: "name", title: "Scan", cell: (one) => element("span", {}, one.dataset ? element("a", { href: `#/scans/${one.dataset}` }, one.name) : one.name,
          element("span", { class: "faint place" }, one.source)) },
        { name: "state", title: "State", cell: stateOf },
        { name: "job", title: "Job", number: true, cell: (one) => one.job ? element("a", { href: `#/jobs/${one.job}`, "aria-label": `Job ${one.job}` }, String(one.job)) : "" },
        { name: "result", title: "Result", cell: (one) => one.result ? element("a", { href: `#/results/${one.result}`, "aria-label": `Result of ${one.name}` }, "Open") : "" },
        { name: "registered", title: "In the portal", narrow: "hide", cell: (one) => one.registered ?? "" },
        { name: "changed", title: "Changed", narrow: "hide", cell: (one) => timeText(one.changed) },
      ],
      load: (query, signal) => this.#chosen ? get(`rules/${encodeURIComponent(this.#chosen)}/found`, { query: { ...query, sort: "" }, signal }) : { items: [], total: 0 },
    });
    this.#side.append(this.#title, element("div", { class: "toolbar" }, this.#run, this.#pause), this.#problem, this.#facts);
    this.#body.append(this.#list, this.#side, found);
    room.append(this.#empty, this.#body);
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
  }

  take({ rules }) {
    this.#rules = rules;
    this.#empty.hidden = rules.length > 0;
    this.#body.hidden = !rules.length;
    if (!rules.some(({ name }) => name === this.#chosen)) this.#chosen = rules[0]?.name ?? null;
    const told = JSON.stringify([rules, this.#chosen]);
    if (told === this.#told) return;
    this.#told = told;
    this.#fillList();
    this.#fillSide();
  }

  async show([name]) {
    if (this.#rules.some((rule) => rule.name === name)) this.#chosen = name;
    this.take({ rules: this.#rules });
    await this.#table.filter({});
  }

  refresh() {
    return this.#table.refresh();
  }

  #fillList() {
    const focused = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...this.#rules.map((rule) => {
      const [text, tone] = rule.problem ? ["✕ can't look", "failure"] : RULE[rule.state];
      const chosen = rule.name === this.#chosen;
      return element("a", { class: `list-group-item list-group-item-action${chosen ? " active" : ""}`, href: `#/portal/rules/${encodeURIComponent(rule.name)}`,
        "aria-current": chosen ? "true" : null }, element("span", { class: "name" }, rule.name), element("span", { class: "word", "data-tone": tone }, text),
      element("span", { class: "faint" }, countsOf(rule.counts)));
    }));
    if (focused) this.#list.querySelector(".active")?.focus();
  }

  #fillSide() {
    const rule = this.#rules.find(({ name }) => name === this.#chosen);
    if (!rule) return;
    this.#title.textContent = rule.name;
    this.#problem.textContent = rule.problem ? `✕ ${rule.problem}` : "";
    this.#run.hidden = this.#pause.hidden = !rule.may_change;
    this.#run.disabled = rule.state === "stopped";
    this.#pause.textContent = rule.state === "paused" ? "Resume" : "Pause";
    this.#pause.hidden ||= rule.state === "stopped";
    this.#facts.replaceChildren(...factsOf(rule).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  }

  async #change(what) {
    const address = `rules/${encodeURIComponent(this.#chosen)}`;
    const rule = this.#rules.find(({ name }) => name === this.#chosen);
    try {
      const after = what === "run" ? await post(`${address}/run`) : await patch(address, { is_paused: rule.state !== "paused" });
      this.take({ rules: this.#rules.map((one) => (one.name === after.name ? after : one)) });
      if (what === "run") this.#frame.note("info", `${after.name} looks now.`);
    } catch (error) {
      this.#frame.note("error", error.message);
    }
  }

  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.#list.children];
    items[Math.min(Math.max(items.indexOf(document.activeElement) + step, 0), items.length - 1)].focus();
  }
}

function stateOf(one) {
  const [text, tone] = FOUND[one.state];
  return element("span", {}, element("span", { class: "word", "data-tone": tone }, text), one.why ? element("span", { class: "faint place" }, one.why) : null);
}

function countsOf(counts) {
  return Object.entries(counts).filter(([, number]) => number).map(([name, number]) => `${number} ${name}`).join(", ") || "nothing found yet";
}

function factsOf({ about, source, looked }) {
  const whole = [about.whole.still ? `unchanged for ${about.whole.still} s` : "as soon as it can be read", about.whole.marker ? `with the file ${about.whole.marker}` : "",
    about.whole.projections > 2 ? `at least ${about.whole.projections} projections` : "", about.whole.angles ? `over ${about.whole.angles}°` : ""];
  const settings = Object.entries(about.settings).map(([name, value]) => `${name} = ${value}`);
  return [
    [about.folder ? "Folder" : "Proposals", source],
    ["Pattern", about.pattern],
    ["Whole", whole.filter(Boolean).join(", ")],
    ["Settings", settings.join(", ") || "defaults"],
    ["Results", `results/${about.into}/${about.result}-slices.h5`],
    ["Priority", String(about.priority)],
    ["Failures", `${about.retries ? `tried again ${about.retries} times` : "not tried again"}${about.notify.length ? `, told to ${about.notify.join(", ")}` : ""}`],
    ["Replaced scans", about.replaced === "again" ? "are reconstructed again" : "are ignored"],
    ...(about.register ? [["Portal", "results are registered"]] : []),
    ["Last look", looked ? timeText(looked) : "never"],
  ];
}
