// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A row of `width` samples in a circle of `padded` ones: it is continued by its last sample, and, what is the
// same in a circle, before its first one by that.

// Column of the sample at x of the padded row.
static uint padded_source(const uint x, const uint width, const uint padded) {
    return x < width ? x : x < width + (padded - width + 1) / 2 ? width - 1 : 0;
}
