// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// How lists say what is known of jobs, in the words of the desktop program.

export const OPEN = ["queued", "running", "paused"];
export const STATES = [...OPEN, "done", "failed", "cancelled"];

export function isOver(job) {
  return !OPEN.includes(job.state);
}

/** Seconds that a job runs, or ran; null before. */
export function secondsOf(job, now = Date.now() / 1000) {
  return job.began === null ? null : (job.ended ?? now) - job.began;
}

/** 1 h 05 min, 2 min 07 s, 12 s, 3.4 s */
export function timeText(seconds) {
  if (seconds === null) return "";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds), two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours} h ${two(minutes)} min` : minutes ? `${minutes} min ${two(whole % 60)} s` : `${whole} s`;
}

/** 2026-11-30 08:15 */
export function momentText(seconds) {
  const at = new Date(seconds * 1000), two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Why it failed, or what it has written. */
export function resultText(job) {
  if (job.state === "failed") return job.error ?? "";
  const [first, ...others] = job.results;
  return first ? first.name + (others.length ? ` and ${others.length} more` : "") + (job.status === "finished early" ? ", in part" : "") : "";
}

/** 2 done, 1 failed */
export function countsText(counts) {
  return STATES.filter((state) => counts[state]).map((state) => `${counts[state]} ${state}`).join(", ");
}

export function countsOf(jobs) {
  const counts = {};
  for (const { state } of jobs) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
