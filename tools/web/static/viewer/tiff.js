// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// An image as a TIFF: one strip of raw values.

const SHORT = 3, LONG = 4, RATIONAL = 5;

/** A Blob of samples; the pixel size in metres, or null, becomes the resolution. */
export function tiff({ data, width, height }, pixelSize = null) {
  const isFloat = data instanceof Float32Array, bytes = data.BYTES_PER_ELEMENT, end = 8;
  const tags = [
    [256, LONG, width], [257, LONG, height], [258, SHORT, 8 * bytes], [259, SHORT, 1], [262, SHORT, 1], [273, LONG, 0], [277, SHORT, 1],
    [278, LONG, height], [279, LONG, width * height * bytes], [282, RATIONAL, 0], [283, RATIONAL, 0], [296, SHORT, pixelSize ? 3 : 1],
    [339, SHORT, isFloat ? 3 : 1],
  ];
  const directory = 2 + 12 * tags.length + 4, resolution = end + directory, begin = Math.ceil((resolution + 8) / 8) * 8;
  const head = new DataView(new ArrayBuffer(begin));
  head.setUint16(0, 0x4949, true);
  head.setUint16(2, 42, true);
  head.setUint32(4, end, true);
  head.setUint16(end, tags.length, true);
  tags.forEach(([tag, type, value], i) => {
    const at = end + 2 + 12 * i, offset = { 273: begin, 282: resolution, 283: resolution }[tag] ?? value;
    head.setUint16(at, tag, true);
    head.setUint16(at + 2, type, true);
    head.setUint32(at + 4, 1, true);
    if (type === SHORT) head.setUint16(at + 8, offset, true);
    else head.setUint32(at + 8, offset, true);
  });
  // Samples per centimetre, as a fraction.
  const perCentimetre = pixelSize ? 0.01 / pixelSize : 1, parts = Math.max(1, Math.min(1000000, Math.floor(4e9 / perCentimetre)));
  head.setUint32(resolution, Math.round(perCentimetre * parts), true);
  head.setUint32(resolution + 4, parts, true);
  return new Blob([head, data.subarray(0, width * height)], { type: "image/tiff" });
}
