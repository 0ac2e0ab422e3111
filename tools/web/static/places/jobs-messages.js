// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// How a person is told that jobs are over: by e-mail, or by a request to an address (a webhook).

import { ask, get, post } from "../api.js";
import { ask as askFor, confirm, show } from "../parts/dialog.js";
import { element } from "../parts/dom.js";

const TELLS = [["never", "never, unless it was ordered so"], ["failed", "when a job of mine has failed"], ["always", "when a job of mine is over"]];

export async function askMessages(frame) {
  try {
    const now = await get("notices");
    if (!now.can_mail && !now.webhooks.length) {
      await show("Messages", [element("p", {}, "The administrator has named neither a mail server nor addresses of webhooks.")]);
      return;
    }
    const fields = [
      ...(now.can_mail ? [{ name: "email", label: "E-mail", type: "email", value: now.email ?? "", attributes: { autocomplete: "email" } }] : []),
      ...(now.webhooks.length ? [{ name: "webhook", label: "Address of a webhook", type: "url", value: now.webhook ?? "", hint: `It begins with ${now.webhooks.join(" or ")}` }] : []),
      { name: "tells", label: "Tell me", type: "select", options: TELLS, value: now.email || now.webhook ? now.tells : "always" }, // who gives an address waits for messages
    ];
    const given = await askFor("Messages", fields, { send: (values) => ask("PUT", "notices", { json: values }) });
    if (!given) return;
    if (given.webhook && given.webhook !== now.webhook) await showSecret();
    if ((given.email || given.webhook) && (await confirm("Shall a message go there now?", { title: "A trial", button: "Send" }))) {
      await post("notices/trial");
      frame.note("info", "A message is on its way");
    }
  } catch (error) {
    frame.note("error", error.message);
  }
}

async function showSecret() {
  const { secret } = await post("notices/secret");
  await show("Secret of the webhook", [
    element("p", {}, "Each request is signed: X-Tomo-Signature is sha256= and the HMAC-SHA256 of X-Tomo-Timestamp, a point and the body, by this secret. It is shown once."),
    element("pre", { id: "job-secret" }, secret)]);
}
