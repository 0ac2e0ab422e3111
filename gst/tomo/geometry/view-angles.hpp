// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The angles of the views of a scan, with sentences about them.
#pragma once

#include <gst/tomo/geometry/origin.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tomo {

struct GST_TOMO_API ViewAngles {
    std::vector<double> angles; // radians, one for each view
    Origin origin = Origin::scan;
    std::string sentence;   // "91 views from 0 by 2 degrees (from the scan)"
    std::string assumption; // names the assumption and the property that replaces it; empty if there is none
    bool is_part = false;   // the views are a part of the views that cover half a turn

    // The step, if all steps are equal up to an encoder's jitter.
    std::optional<double> even_step() const;
};

// Angles of `number` views. The property angle-step (`step`, in radians) comes first, then the angles of the
// scan. A scan without angles is assumed to cover half a turn, with a step of pi over the number of its
// projections; views that are a part of it get the angles of that part. Without a scan the views themselves
// are assumed to cover half a turn. All elements make this one assumption. `offset` is added to all angles.
// Throws Error where the scan has another number of angles.
GST_TOMO_API ViewAngles resolve_angles(std::optional<double> step, const Scan &scan, std::size_t number,
                                       double offset = 0.0);

} // namespace tomo
