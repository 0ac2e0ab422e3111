// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The place Administration: persons, sessions, what was changed, and this computer.

import { get, patch, post, remove } from "../api.js";
import { ask, confirm } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { menuButton } from "../parts/menu.js";
import { button, StateLine } from "../parts/states.js";
import { Tabs } from "../parts/tabs.js";

const ROLES = [["viewer", "viewer: looks and downloads"], ["user", "user: runs jobs"], ["expert", "expert: sees where files lie, if the server allows it"], ["admin", "admin: manages persons and jobs of all"]];
const TABS = { persons: "Persons", sessions: "Sessions", log: "Log", results: "Old results", server: "Server" };
const PAGE = 100; // entries of the log

export class Place {
  #room;
  #frame;
  #tabs = new Tabs("Administration", TABS, undefined, { link: (name) => `#/administration/${name}`, prefix: "tab-" });
  #state = new StateLine();

  constructor(room, frame) {
    this.#room = room;
    this.#frame = frame;
    const panels = Object.values(this.#tabs.panels);
    for (const panel of panels) {
      panel.classList.add("administration");
      panel.setAttribute("aria-live", "polite");
    }
    room.append(element("h1", { class: "visually-hidden" }, "Administration"), this.#tabs.list, ...panels, this.#state.element);
  }

  async show([name = "persons"]) {
    this.#room.hidden = false;
    const known = name in TABS ? name : "persons";
    this.#tabs.show(known);
    this.#state.working("Asking the server");
    const shown = await { persons: () => this.#persons(), sessions: () => this.#sessions(), log: () => this.#log(), results: () => this.#results(), server: () => this.#server() }[known]();
    this.#tabs.panels[known].replaceChildren(...shown);
    this.#state.done();
  }

  hide() {
    this.#room.hidden = true;
  }

  async #persons() {
    const persons = await get("administration/persons");
    const add = button("Add person…", () => this.#add());
    if (this.#frame.person.access === "token" && !persons.length) {
      return [element("p", {}, "This server has one person, who opens the address that it has printed. Persons with passwords want --access passwords.")];
    }
    return [element("div", { class: "toolbar" }, add), table(["Name", "Role", "State", "Sessions", "Added", ""], persons.map((one) => [
      one.name, one.role, one.is_blocked ? tone("✕ blocked", "failure") : one.has_password ? "✓ may log in" : "by a proxy alone",
      String(one.sessions), date(one.added), this.#menu(one)]), "Persons", "Nobody is known yet.")];
  }

  #menu(one) {
    return menuButton("Change", [["Role…", () => this.#role(one)], ["Password…", () => this.#password(one)],
      [one.is_blocked ? "Let in again" : "Block", () => this.#change(one, { is_blocked: !one.is_blocked })], null, ["Remove…", () => this.#remove(one)]],
    { "aria-label": `Change ${one.name}`, class: "btn small dropdown-toggle" });
  }

  async #add() {
    const needed = this.#frame.person.access === "passwords";
    const done = await ask("New person", [{ name: "name", label: "Name", required: true, attributes: { autocomplete: "off" } },
      { name: "role", label: "Role", type: "select", options: ROLES, value: "user" },
      { name: "password", label: "Password", type: "password", required: needed, hint: "At least 8 characters", attributes: { autocomplete: "new-password" } }],
    { button: "Add", send: ({ name, role, password }) => post("administration/persons", { name, role, password: password || null }) });
    if (done) await this.#again();
  }

  async #role(one) {
    const done = await ask(`Role of ${one.name}`, [{ name: "role", label: "Role", type: "select", options: ROLES, value: one.role }],
      { send: (values) => patch(this.#address(one), values) });
    if (done) await this.#again();
  }

  async #password(one) {
    const done = await ask(`Password of ${one.name}`, [{ name: "password", label: "New password", type: "password", required: true, hint: "At least 8 characters", attributes: { autocomplete: "new-password" } }],
      { send: (values) => patch(this.#address(one), values) });
    if (done) await this.#again();
  }

  async #remove(one) {
    if (await confirm(`${one.name} gets in no more. Data sets and jobs stay.`, { title: `Remove ${one.name}?`, button: "Remove", danger: true })) {
      await this.#try(() => remove(this.#address(one)));
    }
  }

  #change(one, values) {
    return this.#try(() => patch(this.#address(one), values));
  }

  #address(one) {
    return `administration/persons/${encodeURIComponent(one.name)}`;
  }

  async #try(does) {
    try {
      await does();
    } catch (error) {
      this.#frame.note("error", error.message);
    }
    await this.#again();
  }

  #again() {
    return this.#frame.go();
  }

  async #sessions() {
    const sessions = await get("administration/sessions");
    return [table(["Person", "Address", "Browser", "Since", "Last request", ""], sessions.map((one) => [
      one.person + (one.mine ? " (this browser)" : ""), one.address, browser(one.browser), date(one.began), date(one.seen),
      button("Log out", () => this.#try(() => remove(`administration/sessions/${one.number}`)), { class: "btn small", "aria-label": `Log out ${one.person}, ${one.address}` })]),
    "Sessions", "Nobody is logged in.")];
  }

  async #log() {
    const shown = element("div", { class: "scroll" });
    const more = button("Older entries", () => this.#older(shown, more));
    shown.append(table(["Time", "Person", "From", "What", "Address", "Detail", "Answer"], [], "What persons changed", ""));
    await this.#older(shown, more);
    return [shown, more];
  }

  async #older(shown, more) {
    const { items } = await get("administration/audit", { query: { before: more.dataset.before, limit: PAGE } });
    shown.querySelector("tbody").append(...items.map((one) => row([date(one.time), one.person, one.address,
      one.action + (one.count > 1 ? ` (${one.count} times)` : ""), one.path, one.detail, one.status >= 400 ? tone(`✕ ${one.status}`, "failure") : `✓ ${one.status}`])));
    more.dataset.before = items.at(-1)?.id ?? "";
    more.hidden = items.length < PAGE;
  }

  /** What the rules about old results would take away now. */
  async #results() {
    const { days, bytes: most, count, freed, items } = await get("retention");
    if (days === null && most === null) return [element("p", {}, "Results stay until somebody removes them. --keep-days and --keep-bytes are rules by which old ones go.")];
    const rules = [days === null ? null : `results older than ${days} days go`, most === null ? null : `of a person who has more than ${bytes(most)} the oldest go`];
    return [element("p", {}, `Rules: ${rules.filter(Boolean).join("; ")}. Each hour the server looks.`),
      element("p", {}, count ? `${count} ${count === 1 ? "job goes" : "jobs go"} the next time, ${bytes(freed)}.` : "Nothing goes now."),
      table(["Job", "Owner", "Ended", "Size", "What becomes of it", "Why"], items.map((one) => [
        element("a", { href: `#/jobs/${one.job}` }, `${one.job} ${one.name}`.trim()), one.owner, date(one.ended), bytes(one.bytes),
        one.goes ? tone("⚠ goes", "warning") : "✓ stays", one.reason]), "Old results", "No rule is against any result.")];
  }

  async #server() {
    const about = await get("administration/server");
    const devices = element("div", {}, element("p", { class: "faint" }, "Asking for the devices…"));
    get("administration/devices").then((found) => devices.replaceChildren(table(["Number", "Device", "Kind", "Memory"],
      found.map((one) => [String(one.index), one.name, one.is_cpu ? "CPU" : "GPU", bytes(one.memory)]), "Devices", "There is none.")),
    (error) => devices.replaceChildren(element("p", { "data-tone": "failure" }, `✕ ${error.message}`)));
    return [element("p", {}, `gst-tomo ${about.version}`),
      element("h2", {}, "Devices"), devices,
      element("h2", {}, "Disk space"), table(["Folder", "Free", "Size"], about.spaces.map((one) => [one.folder, free(one), bytes(one.size)]), "Disk space", ""),
      element("h2", {}, "Limits of the queue"), facts(Object.entries(about.queue).map(([name, value]) => [name.replaceAll("_", " "), value])),
      element("h2", {}, "Settings"), element("p", { class: "faint" }, "They count from the next start of the server on: options, or a file behind --config."),
      table(["Option", "Value", "Meaning"], about.settings.map((one) => [one.option, text(one.value), one.about]), "Settings", "")];
  }
}

function table(titles, rows, label, empty) {
  if (!rows.length && empty) return element("p", {}, empty);
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, element("table", { class: "table", "aria-label": label },
    element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title || element("span", { class: "visually-hidden" }, "Actions"))))),
    element("tbody", {}, ...rows.map(row))));
}

function row(cells) {
  return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
}

function facts(pairs) {
  return element("dl", { class: "facts" }, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, text(value))]));
}

function tone(word, name) {
  return element("span", { "data-tone": name }, word);
}

function text(value) {
  if (value === null || value === "" || value?.length === 0) return "none";
  return Array.isArray(value) ? value.join(", ") : value === true ? "yes" : value === false ? "no" : String(value);
}

function date(seconds) {
  return new Date(seconds * 1000).toLocaleString("sv-SE"); // 2026-11-30 07:15:44
}

function browser(agent) {
  return agent.match(/(Firefox|Edg|Chrome|HeadlessChrome|Safari)\/[\d]+/)?.[0].replace("/", " ") ?? agent;
}

function bytes(number) {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, number)) / 3));
  return `${(number / 1000 ** power).toPrecision(3)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

function free({ free: left, size }) {
  const word = `${bytes(left)} (${Math.round((100 * left) / size)} %)`;
  return left < size / 20 ? tone(`⚠ ${word}`, "warning") : word;
}
