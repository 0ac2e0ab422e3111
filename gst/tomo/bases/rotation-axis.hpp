// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/property.hpp>
#include <gst/tomo/geometry/axis.hpp>

namespace tomo {

// The rotation axis as property center-of-rotation and the scan tell it. It lies within the columns.
class GST_TOMO_API RotationAxis {
  public:
    explicit RotationAxis(Element *owner);

    // Throws Error on one that is not between the columns' edges.
    Axis in(unsigned columns) const;
    // Whether the scan has another one than was known.
    bool learn(GstEvent *scan);
    void forget() { scan_ = {}, has_warned_ = false; }
    // Reports that axis as the effective one, and warns once that it was assumed, where it was.
    void tell(unsigned columns);

  private:
    Element *const owner_;
    bool has_warned_ = false;
    Property<float> given_;
    Scan scan_;
};

} // namespace tomo
