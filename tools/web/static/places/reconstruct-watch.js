// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The course of one job.

import { get } from "../api.js";

const PAUSE = 500; // ms

/** Calls f with a job whenever it has changed, until the function that this returns is called. */
export function follow(number, f) {
  let isWanted = true;
  (async () => {
    while (isWanted) {
      try {
        f(await get(`jobs/${number}`));
      } catch {
        // asked again
      }
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  })();
  return () => (isWanted = false);
}
