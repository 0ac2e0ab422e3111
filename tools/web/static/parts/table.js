// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables whose rows the server sorts, filters and pages.

import { element } from "./dom.js";

const TYPED = 250; // ms without a letter until a search begins
let number = 0;

/**
 *   new Table(container, {
 *     label: "Jobs",
 *     columns: [{ name: "id", title: "Job", sorts: true, number: true, cell: (item) => text or element, narrow: "hide" }],
 *     load: async ({ offset, limit, sort, ...values of filters }, signal) => ({ items, total }),
 *     filters: [{ name: "search", title: "Search" }, { name: "state", title: "State", options: [["", "all"], ["done", "done"]] }],
 *     sort: "-id", limit: 50, key: (item) => item.id, marks: false, empty: "Nothing is here.",
 *   })
 *
 * Keys: arrows walk, Home and End go to the ends, Page Up and Down turn pages, Enter opens, Space marks (with `marks`).
 * Events, each with detail {item}: "choose" where another row is current, "open" (Enter, double click); "marks" (detail {items});
 * "page" (detail {items, total}) where a page has come; "failed" (detail {error}).
 * A column with narrow: "hide" is left out on a phone. `actions` is a place for buttons in the line of the filters.
 */
export class Table extends EventTarget {
  #options;
  #body = element("tbody");
  #heads = new Map();
  #said = element("span", { class: "table-said", role: "status" });
  #before = element("button", { type: "button", class: "btn small", click: () => this.turn(-1) }, "Previous");
  #after = element("button", { type: "button", class: "btn small", click: () => this.turn(1) }, "Next");
  #values = {};
  #inputs = new Map();
  #offset = 0;
  #sort;
  #current = null;
  #marked = new Map();
  #made = new Map(); // by key: a row, and the item that it shows as JSON
  #loading = null;
  #timer = null;
  items = [];
  total = 0;

  constructor(container, options) {
    super();
    this.#options = { limit: 50, filters: [], marks: false, empty: "Nothing is here.", key: (item) => item.id, ...options };
    this.#sort = this.#options.sort ?? "";
    this.actions = element("span", { class: "table-actions" });
    this.table = element("table", { class: "table table-hover", role: "grid", "aria-label": options.label, keydown: (event) => this.#press(event) },
      element("thead", {}, element("tr", {}, ...this.#headCells())), this.#body);
    this.element = element("div", { class: "table-part" },
      element("div", { class: "toolbar" }, ...this.#options.filters.map((filter) => this.#filter(filter)), this.actions),
      element("div", { class: "scroll table-scroll", tabindex: -1 }, this.table),
      element("div", { class: "table-foot" }, this.#said, this.#before, this.#after));
    container.append(this.element);
  }

  /** Asks for the page again; focus and marks stay. Resolves when it is there. */
  async refresh() {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    const { limit, load } = this.#options;
    this.table.setAttribute("aria-busy", "true");
    try {
      const page = await load({ offset: this.#offset, limit, sort: this.#sort, ...this.#values }, signal);
      if (signal.aborted) return;
      if (!page.items.length && page.total && this.#offset) { // rows have gone meanwhile
        this.#offset = Math.floor((page.total - 1) / limit) * limit;
        return await this.refresh();
      }
      this.items = page.items;
      this.total = page.total;
      this.#fill();
      this.#tell("page", { items: page.items, total: page.total });
    } catch (error) {
      if (signal.aborted) return;
      this.#said.textContent = `✕ ${error.message}`;
      this.#tell("failed", { error });
    } finally {
      if (!signal.aborted) this.table.setAttribute("aria-busy", "false");
    }
  }

  /** Values of filters, as {search: "tooth"}; the first page of what fits is shown. */
  filter(values) {
    clearTimeout(this.#timer); // a refresh amid typing leaves the search to come
    Object.assign(this.#values, values);
    for (const [name, input] of this.#inputs) if (name in values && input.value !== values[name]) input.value = values[name];
    this.#offset = 0;
    return this.refresh();
  }

  /** Other values for a filter of choices, as pairs of a value and a text. */
  setOptions(name, options) {
    const input = this.#inputs.get(name), value = input.value;
    input.replaceChildren(...options.map(([key, text]) => element("option", { value: key }, text)));
    input.value = options.some(([key]) => key === value) ? value : "";
  }

  get values() {
    return { ...this.#values };
  }

  /** Goes some pages on. */
  turn(pages) {
    const offset = this.#offset + pages * this.#options.limit;
    if (offset < 0 || offset >= this.total) return;
    this.#offset = offset;
    return this.refresh();
  }

  /** An item that has changed, where it is on the page. */
  update(item) {
    const at = this.items.findIndex((one) => this.#key(one) === this.#key(item));
    if (at < 0) return;
    this.items[at] = item;
    const row = this.#body.rows[at], hadFocus = row.contains(document.activeElement);
    const made = this.#row(item, at);
    row.replaceWith(made);
    if (hadFocus) made.focus({ preventScroll: true });
  }

  /** Makes the row of a key the current one; null: none. */
  choose(key) {
    this.#current = key === null ? null : String(key);
    this.#markCurrent();
  }

  get marked() {
    return [...this.#marked.values()];
  }

  unmark() {
    this.#marked.clear();
    this.#fill();
    this.#tell("marks", { items: [] });
  }

  #key(item) {
    return String(this.#options.key(item));
  }

  #headCells() {
    const cells = this.#options.columns.map(({ name, title, sorts, narrow, number: isNumber }) => {
      const said = sorts ? element("button", { type: "button", class: "sort", click: () => this.#sortBy(name) }, title) : title;
      const head = element("th", { scope: "col", class: classes({ number: isNumber, narrow }) }, said);
      if (sorts) this.#heads.set(name, head);
      return head;
    });
    if (this.#options.marks) cells.unshift(element("th", { scope: "col", class: "mark" }, element("span", { class: "visually-hidden" }, "Marked")));
    this.#showSort();
    return cells;
  }

  #showSort() {
    for (const [name, head] of this.#heads) {
      head.setAttribute("aria-sort", this.#sort === name ? "ascending" : this.#sort === `-${name}` ? "descending" : "none");
    }
  }

  #sortBy(name) {
    this.#sort = this.#sort === name ? `-${name}` : name;
    this.#showSort();
    this.#offset = 0;
    this.refresh();
  }

  #filter({ name, title, options, value = "" }) {
    this.#values[name] = value;
    const id = `table-${++number}-${name}`, label = element("label", { for: id, class: "visually-hidden" }, title);
    const input = options
      ? element("select", { id, class: "form-select", title, change: () => this.filter({ [name]: input.value }) },
        ...options.map(([key, text]) => element("option", { value: key }, text)))
      : element("input", { id, type: "search", class: "form-control wide", placeholder: title, autocomplete: "off", spellcheck: "false", value,
        input: () => this.#typed(name, input) });
    this.#inputs.set(name, input);
    return element("span", { class: options ? "table-filter" : "table-filter wide" }, label, input);
  }

  #typed(name, input) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.filter({ [name]: input.value }), TYPED);
  }

  #fill() {
    const focused = this.#body.contains(document.activeElement);
    const before = [...this.#body.rows], rows = this.items.map((item, at) => this.#keptRow(item, at) ?? this.#row(item, at));
    const isSame = rows.length === before.length && rows.every((row, at) => row.dataset.key === before[at].dataset.key);
    if (isSame) rows.forEach((row, at) => row !== before[at] && before[at].replaceWith(row));
    else this.#body.replaceChildren(...rows);
    this.#made = new Map(rows.map((row) => [row.dataset.key, this.#made.get(row.dataset.key)]));
    if (!this.items.length) {
      const span = this.#options.columns.length + this.#options.marks;
      this.#body.append(element("tr", {}, element("td", { colspan: span, class: "faint" }, this.#options.empty)));
    }
    const last = this.#offset + this.items.length;
    this.table.setAttribute("aria-rowcount", String(this.total + 1));
    this.#said.textContent = this.total ? `${this.#offset + 1} to ${last} of ${this.total}` : "";
    this.#before.disabled = !this.#offset;
    this.#after.disabled = last >= this.total;
    this.#before.hidden = this.#after.hidden = this.total <= this.#options.limit;
    this.#markCurrent();
    if (focused) this.#rowOf(this.#current)?.focus({ preventScroll: true });
  }

  /** The row that shows an item already, so that nothing goes from under a pointer. What has fields is made anew: it shows what holds. */
  #keptRow(item, at) {
    const key = this.#key(item), made = this.#made.get(key);
    if (!made || made.text !== JSON.stringify(item) || made.row.querySelector("select, textarea, td:not(.mark) input")) return null;
    made.row.setAttribute("aria-rowindex", String(this.#offset + at + 2));
    const box = made.row.querySelector(".mark input");
    if (box) box.checked = this.#marked.has(key);
    return made.row;
  }

  #row(item, at) {
    const key = this.#key(item);
    const cells = this.#options.columns.map(({ cell, name, number: isNumber, narrow }) => {
      const shown = cell ? cell(item) : item[name];
      return element("td", { class: classes({ number: isNumber, narrow }) }, shown instanceof Node ? shown : String(shown ?? ""));
    });
    if (this.#options.marks) {
      const box = element("input", { type: "checkbox", class: "form-check-input", tabindex: -1, checked: this.#marked.has(key), "aria-label": `Mark ${key}`,
        click: (event) => event.stopPropagation(), change: () => this.#mark(item, box.checked) });
      cells.unshift(element("td", { class: "mark" }, box));
    }
    const isCurrent = key === this.#current;
    const row = element("tr", { tabindex: isCurrent || (this.#current === null && !at) ? 0 : -1, "aria-selected": String(isCurrent),
      "aria-rowindex": String(this.#offset + at + 2), "data-key": key, focus: () => this.#choose(item), click: () => this.#choose(item),
      dblclick: () => this.#tell("open", { item }) }, ...cells);
    this.#made.set(key, { row, text: JSON.stringify(item) });
    return row;
  }

  #mark(item, isMarked) {
    if (isMarked) this.#marked.set(this.#key(item), item);
    else this.#marked.delete(this.#key(item));
    this.#tell("marks", { items: this.marked });
  }

  #rowOf(key) {
    return [...this.#body.rows].find((row) => row.dataset.key === key);
  }

  #choose(item) {
    const key = this.#key(item);
    if (key === this.#current) return;
    this.#current = key;
    this.#markCurrent();
    this.#tell("choose", { item });
  }

  #markCurrent() {
    const known = this.#rowOf(this.#current);
    for (const row of this.#body.rows) {
      const isCurrent = row === known;
      if (!row.dataset.key) continue;
      row.setAttribute("aria-selected", String(isCurrent));
      row.tabIndex = isCurrent || (!known && row === this.#body.rows[0]) ? 0 : -1;
    }
  }

  async #press(event) {
    const row = event.target.closest("tbody tr"), rows = [...this.#body.rows].filter((one) => one.dataset.key);
    if (!row || event.target !== row || event.ctrlKey || event.altKey || event.metaKey) return;
    const at = rows.indexOf(row), item = this.items[at];
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      rows[Math.min(Math.max(to, 0), rows.length - 1)].focus();
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      event.preventDefault();
      await this.turn(event.key === "PageDown" ? 1 : -1);
      this.#body.rows[0]?.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#tell("open", { item });
    } else if (event.key === " " && this.#options.marks) {
      event.preventDefault();
      const box = row.querySelector("input[type=checkbox]");
      box.checked = !box.checked;
      this.#mark(item, box.checked);
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function classes({ number: isNumber, narrow }) {
  return [isNumber && "number", narrow === "hide" && "not-narrow"].filter(Boolean).join(" ") || null;
}
