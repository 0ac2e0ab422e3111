// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which elements may run in several copies side by side, each with some of the arrays of one stream.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>
#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <string>
#include <vector>

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

// Mixed in by the element that runs such copies. The originals stand in it, never start, and hold the
// properties of all copies. Messages of a copy come from its original.
class GST_TOMO_API WithCopies {
  public:
    struct Copy {
        unsigned device;  // its index among all devices
        std::string name; // of the device
        std::vector<ObjectRef<GstElement>> elements;
        std::uint64_t arrays; // computed since the start
    };

    virtual ~WithCopies() = default;
    // In the order of the stream.
    virtual std::vector<ObjectRef<GstElement>> originals() const = 0;
    // Whether a property of the element describes them.
    virtual bool is_described() const = 0;
    // Takes elements without a parent, which stand in one row in this order. Those that it had have no parent
    // any more. In state NULL. Throws Error if they can't be copied.
    virtual void set_originals(const std::vector<ObjectRef<GstElement>> &elements) = 0;
    // From READY on.
    virtual std::vector<Copy> copies() const = 0;
    // Whether results come without further input.
    virtual bool is_at_work() const = 0;
    // Whether it takes no more input before results have left.
    virtual bool is_full() const = 0;
};

// Null for other elements.
GST_TOMO_API WithCopies *with_copies(GstElement *element);
// The element that runs copies of this one; null if it is no original.
GST_TOMO_API ObjectRef<GstElement> runner_of_copies(GstElement *original);
// Null if the element is no copy.
GST_TOMO_API GstElement *original_of(GstElement *copy);
GST_TOMO_API void set_original(GstElement *copy, GstElement *original);

} // namespace tomo
