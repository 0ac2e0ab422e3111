// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// What keys, mouse and fingers do in a picture, as a list that "?" opens.

import { element } from "../parts/dom.js";

const OF_PICTURES = [
  ["Wheel; arrow keys, Page Up, Page Down, Home, End", "other images"],
  ["Ctrl+wheel; + and -; two fingers", "zoom"],
  ["Drag; Ctrl+arrow keys", "move the picture"],
  ["Double click; 0", "fit"],
  ["1", "a sample is a pixel of the screen"],
  ["Right drag; w and W, l and L", "window wider and narrower, level up and down"],
  ["a", "window from 0.5 to 99.5 % of the values"],
  ["Shift+arrow keys", "cursor, whose value is told; Enter clicks there, Escape ends it"],
];

/** Opens the list, and gives the focus back to `owner` when it is closed. */
export function showKeys(owner, keys = owner.viewerKeys ?? OF_PICTURES) {
  const rows = keys.map(([hands, does]) => element("tr", {}, element("th", { scope: "row" }, hands), element("td", {}, does)));
  const dialog = element("dialog", { class: "viewer-keys", "aria-label": "Mouse and keys", close: () => {
    dialog.remove();
    owner.focus();
  } }, element("table", {}, element("tbody", {}, ...rows)),
    element("form", { method: "dialog" }, element("button", { class: "btn btn-sm btn-secondary", autofocus: true }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
}

/** Lists more, or other keys for a canvas. */
export function setKeys(canvas, more, withPictures = true) {
  canvas.viewerKeys = withPictures ? [...more, ...OF_PICTURES] : more;
}
