// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/settings.hpp>
#include <gst/tomo/device/array.hpp>

namespace tomo::reconstruction {

// Values of one parameter; the job makes a slice for each.
struct GST_TOMO_API Sweep {
    std::string name;
    std::vector<std::string> values;

    // NAME = VALUE with its unit.
    std::string label(std::size_t number) const;
    // " ! " and the element that measures by which axis slices are sharpest; nothing in a sweep of another
    // parameter. `columns` are those of the detector, `slice` is one of the slices.
    std::string sharpness_line(const Settings &settings, unsigned columns, const ArrayInfo &slice) const;

    bool is_of_axis() const { return name == "axis" || name == "axis-index" || name == "center-position-x"; }
    // Copies the settings to `of_value`, with the value of this number and without a sweep.
    void apply(std::size_t number, const Settings &settings, Settings &of_value) const;
};

// The sweep in the settings; empty if there is none. Throws Error.
GST_TOMO_API std::optional<Sweep> sweep_of(const Settings &settings);

} // namespace tomo::reconstruction
