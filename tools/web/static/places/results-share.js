// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Links by which others see one result: made, listed, revoked.

import { get, post, remove } from "../api.js";
import { copyButton } from "../parts/copy.js";
import { ask, show } from "../parts/dialog.js";
import { element } from "../parts/dom.js";
import { button } from "../parts/states.js";

const TIMES = [[1, "1 hour"], [24, "1 day"], [168, "1 week"], [720, "30 days"], [8760, "1 year"]];

/** The dialog about the links to a result. */
export async function share(result) {
  const path = `results/${result.job}/${result.number}/shares`, list = element("ul", { class: "list-group share-list" });
  const fill = async () => {
    const links = await get(path);
    list.replaceChildren(...links.map((link) => element("li", { class: "list-group-item" },
      element("span", {}, `${link.note || "Link"}, until ${when(link.expires)}, by ${link.owner}`),
      button("Revoke", async () => {
        await remove(`shares/${link.id}`);
        await fill();
      }, { class: "btn small", "aria-label": `Revoke ${link.note || `link ${link.id}`}` }))));
    if (!links.length) list.append(element("li", { class: "list-group-item faint" }, "There are no links yet."));
  };
  await fill();
  const wanted = await show(`Share ${result.name}`, [
    element("p", {}, "Whoever has a link sees this result and downloads it, without a login, until the link expires or is revoked."), list,
  ], [{ text: "Close", value: null }, { text: "New link…", value: true, next: true }]);
  if (!wanted) return;
  let made = null;
  await ask("New link", [
    { name: "hours", label: "Valid for", type: "select", value: 168, options: TIMES },
    { name: "note", label: "For whom", hint: "So that you know it again", attributes: { maxlength: 200 } },
  ], { button: "Make link", send: async ({ hours, note: text }) => {
    made = await post(path, { hours: Number(hours), note: text });
  } });
  if (made) await tell(made);
}

async function tell(made) {
  const link = new URL(`shared.html#${made.token}`, document.baseURI).href;
  const field = element("input", { class: "form-control mono", readonly: true, value: link, "aria-label": "Link", focus: () => field.select() });
  await show("Link", [element("p", {}, `It is shown this once, and valid until ${when(made.expires)}.`), field, copyButton(link, { class: "btn mt-1" })]);
}

function when(seconds) {
  return new Date(1000 * seconds).toLocaleString("sv-SE").slice(0, 16);
}
