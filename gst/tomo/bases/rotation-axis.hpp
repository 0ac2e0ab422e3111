// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/property.hpp>

#include <gst/gst.h>

#include <limits>

namespace tomo {

// The rotation axis: what the property center-of-rotation says where that is not negative, else the scan's
// where it is known, else the middle.
class GST_TOMO_API RotationAxis {
  public:
    explicit RotationAxis(Element *owner);

    // In edge coordinates. Throws Error on one that is not between the columns' edges.
    double in(unsigned width) const;
    // Whether the scan has another one than was known.
    bool learn(GstEvent *scan);
    void forget() { of_scan_ = std::numeric_limits<double>::quiet_NaN(), has_warned_ = false; }
    // Reports that axis as the effective one, and warns once that it was assumed, where it was.
    void tell(unsigned width);

  private:
    Element *const owner_;
    bool has_warned_ = false;
    Property<float> given_;
    double of_scan_ = std::numeric_limits<double>::quiet_NaN();
};

} // namespace tomo
