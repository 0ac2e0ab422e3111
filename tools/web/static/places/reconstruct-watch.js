// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The course of one job.

import { get } from "../api.js";
import { events } from "../events.js";

/** Calls f with a job whenever it has changed, until the function that this returns is called. */
export function follow(number, f) {
  let isWanted = true;
  const ask = async () => {
    try {
      const job = await get(`jobs/${number}`);
      if (isWanted) f(job);
    } catch {
      // the next change tells it
    }
  };
  const stops = [
    events.on("jobs", (jobs) => jobs.filter((job) => job.id === number).forEach(f)),
    events.on("stale", ask),
  ];
  ask();
  return () => {
    isWanted = false;
    stops.forEach((stop) => stop());
  };
}
