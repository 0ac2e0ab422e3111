// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/settings.hpp>

namespace tomo::reconstruction {

// Values of one parameter; the job makes a slice for each.
struct GST_TOMO_API Sweep {
    std::string name;
    std::vector<std::string> values;

    bool is_of_axis() const { return name == "axis" || name == "axis-index"; }
    // Copies the settings to `of_value`, with the value of this number and without a sweep.
    void apply(std::size_t number, const Settings &settings, Settings &of_value) const;
};

// The sweep in the settings; empty if there is none. Throws Error.
GST_TOMO_API std::optional<Sweep> sweep_of(const Settings &settings);

} // namespace tomo::reconstruction
