// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Many data sets with one setting.

import { get, post } from "../api.js";
import { show } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { Table } from "../parts/table.js";

/** The key of an order: a request that comes twice is one order. */
export function keyOf() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Asks which data sets are queued with the settings that are shown. */
export async function askMany(frame, priority) {
  const room = element("div"), said = element("p", { class: "wrong", role: "alert" }), key = keyOf();
  const table = new Table(room, {
    label: "Data sets", marks: true, limit: 20, sort: "name", key: (item) => item.id, empty: "There is no data set.",
    columns: [{ name: "name", title: "Name", sorts: true }, { name: "size", title: "Size", narrow: "hide" }, { name: "state", title: "State" }],
    filters: [{ name: "search", title: "Search" }],
    load: ({ search, ...rest }, signal) => get("datasets", { query: { ...rest, search }, signal }),
  });
  table.refresh();
  const send = async () => {
    const marked = table.marked;
    if (!marked.length) {
      said.textContent = "Mark the data sets: by a click on the box, or by Space.";
      return false;
    }
    try {
      const { jobs } = await post("jobs", { datasets: marked.map((one) => one.id), settings: frame.settings.values, priority, key });
      frame.note("info", `${jobs.length} data sets are queued; see Jobs`);
      return true;
    } catch (error) {
      said.textContent = error.message;
      return false;
    }
  };
  await show("Many data sets", [element("p", {}, "Those that you mark are reconstructed with these settings, but for those that belong to one data set: axis, rows and the like of each are its own, or are found."), room, said],
    [{ text: "Cancel", value: null }, { text: "Reconstruct marked", value: "send", next: true }], { wide: true, accept: send });
}
