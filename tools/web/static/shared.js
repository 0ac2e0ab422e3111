// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of a link: one result, for somebody without a login.

import { post } from "./api.js";
import { element } from "./parts/dom.js";
import { ResultView } from "./places/results-view.js";

const room = document.getElementById("place-results");
const token = location.hash.slice(1);

try {
  const { job, number, expires } = await post("shared", { token });
  const until = element("span", { class: "faint" }, `until ${new Date(1000 * expires).toLocaleString("sv-SE").slice(0, 16)}`);
  const title = element("h1", { class: "shared-title" }, "Shared result");
  room.append(title);
  const view = new ResultView(room, { actions: [until] });
  await view.open(job, number);
  if (view.result) document.title = `${(title.textContent = view.result.name)} - gst-tomo`;
} catch (error) {
  room.append(element("h1", {}, "Shared result"), element("p", { role: "alert", "data-tone": "failure" }, `✕ ${error.message}`),
              element("p", {}, "Ask whoever gave you the link for a new one."));
}
