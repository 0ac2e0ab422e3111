// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Phase retrieval, on transmission in whole projections.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>

namespace tomo::reconstruction {

bool retrieves_phase(const Settings &settings);

// Unless they are given, those of the scan; NaN or 0 where they are not known.
struct Quantities {
    double energy;          // keV
    double distance;        // metres, from the sample to the detector, along columns
    double source_distance; // metres, from a point source to the sample; a parallel beam without
    double pixel_size;      // metres at the sample
};
Quantities quantities_of(const Settings &settings, const Inspection &scan);

// A quantity that phase retrieval lacks, or that makes no sense, as a finding.
std::optional<Finding> finding_about_phase(const Settings &settings, const Inspection &scan);

// " ! " and the element that makes transmission without phase contrast of one with it; else empty. Throws
// Error where a quantity is lacking.
std::string phase_line(const Settings &settings, const Inspection &scan);

// " ! " and the element that makes thickness of absorption; empty where delta is not given.
std::string thickness_line(const Settings &settings, const Inspection &scan);

} // namespace tomo::reconstruction
