// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The rotation axis of a scan from several of its sinograms.
#pragma once

#include <gst/tomo/support/json.hpp>

#include <string>
#include <vector>

namespace tomo::reconstruction {

// Of one sinogram.
struct AxisOfRow {
    double row;         // edge coordinate of the detector
    double axis;        // edge coordinate of its columns
    double uncertainty; // one sigma
    unsigned pairs = 0; // of mirrored views
};

// Of the scan: a line axis + tilt (row - middle) through those of the rows.
struct GST_TOMO_API AxisEstimate {
    double axis;        // at the middle row of the detector
    double uncertainty; // one sigma
    double tilt;        // columns per row
    double tilt_uncertainty;
    std::string method;
    std::vector<AxisOfRow> rows; // all that were looked at
    std::size_t used = 0;        // of them, for others are far off or say nothing

    Json json() const;
};

// A weighted line by iterated reweighting with Tukey's biweight (Beaton, Tukey 1974), whose scale is the
// median of the distances. Throws Error where no row says anything.
GST_TOMO_API AxisEstimate fit_axis(std::vector<AxisOfRow> rows, double middle_row, const std::string &method);

} // namespace tomo::reconstruction
