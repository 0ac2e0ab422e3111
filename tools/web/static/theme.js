// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Dark or light: as the system, unless a person has chosen. No module, so that no page flashes in the other one.

(function () {
  const KEY = "gst-tomo-theme"; // of localStorage: dark or light; else the system's
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    const chosen = localStorage.getItem(KEY);
    document.documentElement.dataset.theme = chosen || (system.matches ? "dark" : "light");
    window.dispatchEvent(new Event("theme"));
  }

  window.theme = {
    get chosen() {
      return localStorage.getItem(KEY) || "system";
    },
    choose(name) {
      if (name === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, name);
      apply();
    },
  };
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply); // chosen in another tab
  apply();
})();
