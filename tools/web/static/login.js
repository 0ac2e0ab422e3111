// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of those who are not logged in.

import { ask, get } from "./api.js";
import { formField } from "./parts/dialog.js";
import { element } from "./parts/dom.js";

/** `failure` is why the page can't show anything else. */
export async function showLogin(room, failure) {
  document.title = "Log in - gst-tomo";
  const { access } = failure.status === 401 ? await get("access") : {};
  if (access === "passwords") room.replaceChildren(loginForm());
  else {
    const told = access === "token" ? "Open the address that tomo-web has printed when it started: it ends with #token=…"
      : access === "proxy" ? "The proxy in front of this server does not tell who you are." : failure.message;
    room.replaceChildren(element("section", { class: "narrow", "aria-label": "Log in" }, element("h1", {}, "gst-tomo"), element("p", {}, told)));
  }
}

function loginForm() {
  const name = formField({ name: "name", label: "Name", attributes: { autocomplete: "username", autocapitalize: "none", spellcheck: "false" } });
  const password = formField({ name: "password", label: "Password", type: "password", attributes: { autocomplete: "current-password" } });
  const said = element("p", { class: "wrong", role: "alert" });
  const enter = element("button", { type: "submit", class: "btn next" }, "Log in");
  async function submit(event) {
    event.preventDefault();
    said.textContent = "";
    enter.disabled = true;
    try {
      await ask("POST", "session", { json: { name: name.value(), password: password.value() } });
      location.reload();
    } catch (error) {
      said.textContent = error.message;
      enter.disabled = false;
      password.input.select();
    }
  }
  setTimeout(() => name.input.focus());
  return element("section", { class: "narrow", "aria-label": "Log in" }, element("h1", {}, "Log in to gst-tomo"),
    element("form", { submit, novalidate: true }, name.element, password.element, said, enter));
}
