// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The rotation axis of a scan from several of its sinograms.
#pragma once

#include <gst/tomo/support/json.hpp>

#include <limits>
#include <string>
#include <vector>

namespace tomo::reconstruction {

// The axis of one sinogram.
struct AxisOfRow {
    double row;         // edge coordinate of the detector
    double axis;        // edge coordinate of its columns
    double uncertainty; // one sigma
    unsigned pairs = 0; // number of pairs of mirrored views
};

// The axis of the scan: a line axis + tilt (row - middle) through the axes of its rows.
struct GST_TOMO_API AxisEstimate {
    double axis;        // at the middle row of the detector
    double uncertainty; // one sigma
    double tilt;        // columns per row
    double tilt_uncertainty;
    double axis_of_scan = std::numeric_limits<double>::quiet_NaN(); // as its file has it, for comparison
    std::string method;
    std::vector<AxisOfRow> rows; // all rows that were examined
    std::size_t used = 0;        // number of rows in the fit; the others are far off or have no estimate

    Json json() const;
};

// Fits a weighted line by iterated reweighting with Tukey's biweight (Beaton, Tukey 1974), whose scale is the
// median of the distances. Throws Error if no row has an estimate.
GST_TOMO_API AxisEstimate fit_axis(std::vector<AxisOfRow> rows, double middle_row, const std::string &method);

} // namespace tomo::reconstruction
