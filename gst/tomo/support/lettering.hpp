// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Text as an image. Pango and Cairo draw it; a build without them has none.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <string>
#include <vector>

namespace tomo {

struct Ink {
    unsigned width = 0, height = 0;
    std::vector<float> coverage; // of each pixel, 0 to 1, in rows
};

GST_TOMO_API bool has_lettering();

// A line of text in a font as Pango describes it, by family, style and size in points or as 15px. Throws
// Error if it can't be drawn.
GST_TOMO_API Ink ink_of(const std::string &text, const std::string &font);

} // namespace tomo
