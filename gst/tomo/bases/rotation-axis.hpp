// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/property.hpp>
#include <gst/tomo/geometry/axis.hpp>

namespace tomo {

// The rotation axis from the property center-of-rotation or the scan. It lies within the columns.
class GST_TOMO_API RotationAxis {
  public:
    explicit RotationAxis(Element *owner);

    // The axis for this number of columns. Throws Error if it is outside of them.
    Axis for_columns(unsigned columns) const;
    // Takes the axis of the scan; returns whether it differs from the earlier one.
    bool update_from(GstEvent *scan);
    void forget() { scan_ = {}, has_warned_ = false; }
    // Reports the axis as the effective one, and warns once if it is assumed.
    void report(unsigned columns);

  private:
    Element *const owner_;
    bool has_warned_ = false;
    Property<float> given_;
    Scan scan_;
};

} // namespace tomo
