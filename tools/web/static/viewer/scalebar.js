// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// The bar that says how long a length is in the picture.

const UNITS = [[1, "m"], [1e-3, "mm"], [1e-6, "µm"], [1e-9, "nm"]];

/** A length in the unit that suits it: 0.00125 is 1.25 mm. */
export function lengthText(metres, digits = 3) {
  if (!metres) return "0 m";
  const [size, unit] = UNITS.find(([size]) => Math.abs(metres) >= size * 0.9995) ?? UNITS[UNITS.length - 1];
  return `${Number((metres / size).toPrecision(digits))} ${unit}`;
}

/** A round length of at most so many samples: its number of samples and its text; in pixels where no size is known. */
export function bar(samples, pixelSize = null) {
  const most = samples * (pixelSize || 1);
  if (!(most > 0)) return [0, ""];
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((step) => step * power).find((length) => length <= most * (1 + 1e-9));
  if (!pixelSize && length < 1) return [0, ""];
  return [length / (pixelSize || 1), pixelSize ? lengthText(length) : `${length.toFixed(0)} px`];
}

/** Draws it in the lower left corner; returns where it ends at the right, 0 where it has no room. */
export function paintBar(context, { scale, pixelSize, width, height, size = 1 }) {
  const [samples, text] = bar(Math.min(width / 4, 160 * size) / scale, pixelSize);
  if (!samples) return 0;
  context.font = `${12 * size}px system-ui, sans-serif`;
  const length = samples * scale, wide = context.measureText(text).width, across = Math.max(length, wide);
  const line = 15 * size, thick = 3 * size, high = line + thick + 2 * size, left = 12 * size, top = height - 12 * size - high;
  if (left + across + 4 * size > width || top < 4 * size) return 0;
  context.fillStyle = HALO;
  context.fillRect(left - 4 * size, top - 3 * size, across + 8 * size, high + 7 * size);
  context.fillStyle = ON_SURROUND;
  context.textBaseline = "alphabetic";
  context.fillText(text, left + (across - wide) / 2, top + 12 * size);
  context.fillRect(left + (across - length) / 2, top + high - thick, length, thick);
  return left + across + 4 * size;
}

export const SURROUND = [0x1b, 0x1d, 0x20], ON_SURROUND = "#d8dadd", MARK = "#35c9cb", HALO = "rgba(0, 0, 0, 0.66)";
