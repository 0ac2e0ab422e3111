// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Makes dataflows from settings and scan, as lines for gst-launch-1.0, which can also be pasted into a shell.
#pragma once

#include <gst/reconstruction/inspection.hpp>
#include <gst/reconstruction/line.hpp>

namespace tomo::reconstruction {

// A line from the scan to corrected sinograms, without a sink; append " ! " and further elements.
GST_TOMO_API std::string sinogram_line(const Settings &settings, const Inspection &scan, const Rows &rows);

// A line from the scan to corrected projections, without a sink.
std::string projection_line(const Settings &settings, const Inspection &scan, const Rows &rows);
// Where slices lie that fit to those of other scans, in pixels after binning.
struct SliceFrame {
    unsigned columns; // and rows, before they are cropped
    double axis;      // edge coordinate in them
    double radius;    // of the circle that all views see
};

// From sinograms to slices; `axis` is an edge coordinate of the full detector.
std::string slice_line(const Settings &settings, const Inspection &scan, double axis,
                       const SliceFrame *given_frame = nullptr);
// From the scan to slices, without a sink. Where several devices share them, each has copies of the elements
// behind the sinograms.
std::string sinograms_to_slices_line(const Settings &settings, const Inspection &scan, const Rows &rows,
                                     double axis, const SliceFrame *given_frame = nullptr);
// " ! " and the element that makes pixels 0 beyond a circle about the axis, an edge coordinate of slices;
// empty where the settings want none.
std::string circle_line(const Settings &settings, double axis, double radius);
// From there to a file: the result, or a part of it that is read again.
std::string sink_line(const Settings &settings, const std::string &output, bool is_part);

// Whether the line to sinograms has steps that need whole images of the detector, which it transposes then.
bool needs_projections(const Settings &settings, const Inspection &scan);

} // namespace tomo::reconstruction
