// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The course of one job.

import { get } from "../api.js";
import { events } from "../events.js";

/** Calls f with a job as it is, and whenever it has changed, until the function that this returns is called. */
export function follow(number, f) {
  const ask = () => get(`jobs/${number}`).then((job) => isWanted && f(job), () => {}); // what changes next is told
  let isWanted = true;
  const ends = [
    events.on("jobs", (jobs) => jobs.filter((job) => job.id === number).forEach((job) => isWanted && f(job))),
    events.on("stale", ask),
  ];
  ask();
  return () => {
    isWanted = false;
    ends.forEach((end) => end());
  };
}
