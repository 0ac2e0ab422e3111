// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows of the output that an element makes, so that rows beside them can take part.
#pragma once

#include <gst/tomo/bases/property.hpp>
#include <gst/tomo/geometry/scan.hpp>

namespace tomo {

struct RowChoice {
    explicit RowChoice(Element *owner)
        : y{owner, "y", 0, When::reshapes, "First row of the output"},
          height{owner, "height", Automatic{0}, When::reshapes, "Rows of the output; 0: all from y on"},
          y_step{owner, "y-step", 1, {1, G_MAXUINT}, When::reshapes, "Take every n-th row"} {}

    Property<unsigned> y, height, y_step;

    bool is_part() const { return y || height || y_step > 1; }

    // Of the output. Throws Error if the rows are not in the input.
    unsigned count(const ArrayInfo &in) const {
        if (y >= in.height || (height && (std::uint64_t{height} - 1) * y_step >= in.height - y))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("y=%u height=%u y-step=%u: these rows do not lie in %s", y.value(),
                             height.value(), y_step.value(), in.describe().c_str()));
        return height ? height.value() : (in.height - y - 1) / y_step + 1;
    }

    Layout layout(unsigned rows) const {
        const double step = y_step.value();
        return {y + 0.5 - 0.5 * step, 1.0 / step, rows};
    }
};

} // namespace tomo
