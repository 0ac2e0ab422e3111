// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The rotation axis of a scan from several of its sinograms.
#pragma once

#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/json.hpp>

#include <cstdint>
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

// A criterion in one row, which is least at the axis.
struct AxisCurve {
    std::string method;
    double row = 0.0;                 // edge coordinate of the detector
    std::vector<double> axes, values; // edge coordinates of its columns, and the criterion there
};

// One method of several.
struct AxisByMethod {
    std::string method;
    double axis, uncertainty, tilt, tilt_uncertainty; // as in AxisEstimate
    std::string failure;                              // why it found nothing; else empty
};

// No method tells the axis.
class AxisNotFound : public Error {
  public:
    explicit AxisNotFound(const std::string &message) : Error(GST_STREAM_ERROR_FAILED, message) {}
};

// The axis of the scan: a line axis + tilt (row - middle) through the axes of its rows.
struct GST_TOMO_API AxisEstimate {
    double axis = std::numeric_limits<double>::quiet_NaN();        // at the middle row of the detector
    double uncertainty = std::numeric_limits<double>::quiet_NaN(); // one sigma
    double tilt = 0.0;                                             // columns per row
    double tilt_uncertainty = 0.0;
    double axis_of_scan = std::numeric_limits<double>::quiet_NaN(); // as its file has it, for comparison
    std::string method;
    std::string side; // of a whole turn: "left" or "right", the half of the detector in which the axis lies
    std::vector<AxisOfRow> rows; // all rows that were examined
    std::uint64_t pairs = 0;     // of mirrored views that were compared in all rows
    std::size_t used = 0;        // number of rows in the fit; the others are far off or have no estimate

    AxisCurve curve;                     // of the row that tells the axis best
    std::vector<AxisByMethod> by_method; // where several were tried
    std::string warning;                 // why the axis is in doubt; else empty
    std::string failure;                 // why no axis was found; else empty

    double tilt_degrees() const;
    double tilt_uncertainty_degrees() const;
    // Whether the tilt shows in the first or the last of so many rows, and is no chance.
    bool tilt_matters(double rows) const;
    Json json() const;
};

// Fits a weighted line by iterated reweighting with Tukey's biweight (Beaton, Tukey 1974), whose scale is the
// median of the distances. Throws AxisNotFound if no row has an estimate.
GST_TOMO_API AxisEstimate fit_axis(std::vector<AxisOfRow> rows, double middle_row, const std::string &method);

} // namespace tomo::reconstruction
