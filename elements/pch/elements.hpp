// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Headers that nearly every element includes, compiled once. Files still include all that they use.
#include <gst/tomo/bases/filter.hpp>
