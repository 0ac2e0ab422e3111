// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The page begins: who is logged in, else how to get in.

import { ask, Failure, get, onLoggedOut, setCsrf } from "./api.js";
import { Frame } from "./frame.js";
import { showLogin } from "./login.js";

async function begin() {
  const [, token, place = "/scans"] = location.hash.match(/^#token=([^/]+)(\/.*)?$/) ?? [];
  if (token) history.replaceState(null, "", `#${place}`); // nobody reads it over a shoulder, or in the history
  const main = document.getElementById("main");
  try {
    if (token) await ask("POST", "session", { json: { token } });
    const person = await get("session");
    setCsrf(person.csrf);
    onLoggedOut(() => location.reload());
    await new Frame(person).start();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await showLogin(main, error);
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names a place
  document.getElementById("main").focus();
});
begin();
