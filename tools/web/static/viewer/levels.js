// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// From samples to shades: what is black and what is white. The same as gsttomo.widgets._levels.

export const LOW = 0.5, HIGH = 99.5; // percent of the values that are darker than black, and darker than white
export const TOLD = `${LOW} - ${HIGH} %`;
const MOST = 131072; // samples that percentiles and histograms look at

/** Some of the finite samples, evenly spread, in their order of size. */
export function sample({ data, width, height }, most = MOST) {
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / most)));
  const some = new Float64Array(Math.ceil(width / step) * Math.ceil(height / step));
  let count = 0;
  for (let row = 0; row < height; row += step) {
    for (let i = row * width; i < (row + 1) * width; i += step) {
      if (Number.isFinite(data[i])) some[count++] = data[i];
    }
  }
  return some.subarray(0, count).sort();
}

function percentile(sorted, percent) {
  const at = ((sorted.length - 1) * percent) / 100, low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** Black and white of such samples; never the same, so that a window has a width. */
export function percentiles(sorted, low = LOW, high = HIGH) {
  if (!sorted.length) return [0, 1];
  const black = percentile(sorted, low), white = percentile(sorted, high);
  return white > black ? [black, white] : wide(sorted[0], sorted[sorted.length - 1]);
}

/** The same window, or a small one around a single value. */
export function wide(black, white) {
  if (white > black) return [black, white];
  const margin = Math.abs(black) * 1e-3 || 0.5;
  return [black - margin, black + margin];
}

/** Nearly all of the values: a few far ones do not squeeze the others in a histogram. */
export function span(sorted) {
  if (!sorted.length) return [0, 1];
  const [low, high] = percentiles(sorted, 0.1, 99.9), margin = 0.25 * (high - low);
  return wide(Math.max(low - margin, sorted[0]), Math.min(high + margin, sorted[sorted.length - 1]));
}

export function counts(values, bins, [low, high]) {
  const made = new Float64Array(bins);
  for (const value of values) {
    if (value >= low && value <= high) made[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]++;
  }
  return made;
}

/** A number for people: integers as they are, others with so many digits. */
export function textOf(value, digits = 4, isInteger = false) {
  if (value === undefined || value === null) return "-";
  if (isInteger) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size >= 10 ** (digits - 1) && size < 1e7) return value.toFixed(0);
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Number(size.toPrecision(digits))));
  if (exponent >= -5 && exponent < digits) return String(Number(value.toPrecision(digits)));
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  return `${Number(mantissa)}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

/** What is black and white, and how large samples are, for the corner of a picture; `told` says what the levels are. */
export function cornerText([low, high], density, told = "") {
  return `${told}${told ? ": " : ""}${textOf(low)} to ${textOf(high)}   zoom ${(100 * density).toFixed(0)} %`;
}

/** Levels after a drag by pixels: 150 to the right double the window, 300 down move it up by its width. */
export function dragged([low, high], right, down) {
  const width = (high - low) * 2 ** (right / 150), level = (low + high) / 2 + ((high - low) * down) / 300;
  return [level - width / 2, level + width / 2];
}
