// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether the beam is a cone, and whether slices need more than rows of sinograms.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>
#include <vector>

namespace tomo::reconstruction {

// A beam, in pixels of the full detector.
struct Beam {
    bool is_cone = false;
    // Of source and detector along the beam, from the axis: one number, or one for each projection of the
    // scan.
    std::vector<double> source, detector;
};

// Throws Error where the parameters contradict each other, or where a cone beam lacks a number: see
// finding_about_beam().
Beam beam_of(const Settings &settings, const Inspection &scan);

// Whether slices are made from whole projections by the general geometry, because the beam is a cone, an axis
// or a detector are tilted, or a region or a number is chosen that only this geometry has. Else they are made
// row by row. Not where a cone beam lacks a number.
GST_TOMO_API bool is_general(const Settings &settings, const Inspection &scan);

// Whether the axis is tilted along the beam by more than an error of adjustment.
bool is_laminography(const Settings &settings);

// Whether slices need rays from all around, and not from one half of it.
bool needs_whole_turn(const Settings &settings, const Inspection &scan);

// What a cone beam is or lacks, or what is ignored of it.
std::optional<Finding> finding_about_beam(const Settings &settings, const Inspection &scan);

} // namespace tomo::reconstruction
