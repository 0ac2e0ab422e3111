// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which elements may run in several copies side by side, each with some of the arrays of one stream.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <gst/gst.h>

#include <string>

namespace tomo {

// Mixed in by filters whose result for an array depends on arrays before it. Other filters compute each array
// by itself.
class GST_TOMO_API WithHistory {
  public:
    virtual ~WithHistory() = default;
    // What the filter keeps of earlier arrays, as the end of "it depends on earlier arrays: "; empty where
    // its properties let it keep nothing.
    virtual std::string history() const = 0;
};

// Why copies of the element would not give what it gives alone, as the end of a sentence that begins with its
// name; empty if they would. Filters do, and of GStreamer's own elements capsfilter and queue.
GST_TOMO_API std::string why_not_side_by_side(GstElement *element);

} // namespace tomo
