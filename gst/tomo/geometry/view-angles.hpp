// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// At which angles the views of a scan were taken, and what to say of it.
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
    std::string assumption; // what was assumed and how to say better; empty where nothing was
    bool is_part = false;   // of the views that were taken for half a turn

    // The step, if it is the same everywhere but for what an encoder's jitter may be.
    std::optional<double> even_step() const;
};

// Angles of `number` views. A step that somebody gave as property angle-step, in radians, stands above all.
// Then come the angles of the scan, and where it has none its projections are taken for half a turn all
// together, the step being pi over their number: views that are a part of them get the angles of that part.
// Without a scan the views themselves are taken for half a turn. That is the one assumption about angles; all
// elements make it. All angles are turned by `offset`. Throws Error where the scan has another number of
// angles.
GST_TOMO_API ViewAngles resolve_angles(std::optional<double> step, const Scan &scan, std::size_t number,
                                       double offset = 0.0);

} // namespace tomo
