// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The data set that a place is about.

import { emptyPage, nextButton } from "../parts/states.js";

/**
 * The data set that the address names, else the chosen one: the address names it then. Where there is none, or it can't be read, the
 * room says so, and what to do first; resolves to null.
 */
export async function chosenFor(frame, [id], room, text) {
  let dataset = null, missing = null;
  try {
    dataset = id === undefined ? frame.dataset : await frame.choose(id);
  } catch (error) {
    if (error.status !== 404) throw error;
    missing = `✕ Failed: ${error.message}`;
  }
  const isThere = Boolean(dataset?.facts);
  room.hidden = isThere;
  room.replaceChildren();
  if (!isThere) {
    const said = dataset ? `✕ Failed: ${dataset.name} can't be read: ${dataset.problem ?? "nobody knows why"}` : missing ?? text;
    room.append(emptyPage(said, nextButton(dataset || missing ? "Choose another data set" : "Choose a data set", () => frame.open("scans"))));
    return null;
  }
  const [place] = location.hash.replace(/^#\/?/, "").split("/");
  if (id === undefined) history.replaceState(null, "", `#/${place}/${dataset.id}`);
  return dataset;
}
