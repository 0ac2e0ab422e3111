// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Words of the place Scans.

import { element } from "../parts/dom.js";

export const STATES = { new: ["… new", ""], ready: ["✓ ready", "good"], warnings: ["⚠ warnings", "warning"], broken: ["✕ broken", "failure"] };

/** A state as a word and a colour. */
export function stateWord(dataset) {
  const [text, tone] = STATES[dataset.state];
  return element("span", { "data-tone": tone, title: dataset.problem ?? "" }, text);
}

export function tagsOf(text) {
  return [...new Set(text.split(",").map((one) => one.trim().replace(/\s+/g, " ")).filter(Boolean))];
}
