// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The correction by darks and flats, and whether its result is transmission or absorption.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// Whether values are shares of the beam before a logarithm is taken: flats correct them, or the counts of the
// whole beam are known.
bool are_values_transmission(const Settings &settings, const Inspection &scan);
// Whether values become absorption; and whether a later step than the correction makes them so, as a step
// before works on transmission: behind phase retrieval or, in sinograms, behind the removal of rings.
bool takes_logarithm(const Settings &settings, const Inspection &scan);
bool takes_logarithm_behind_phase(const Settings &settings, const Inspection &scan);
bool takes_logarithm_behind_rings(const Settings &settings, const Inspection &scan);
// " ! " and the element that takes the logarithm.
std::string absorption(const Settings &settings);

// Whether projections are corrected by the two sets of flats around them.
bool are_flat_sets_apart(const Settings &settings, const Inspection &scan);
// Whether each projection has a flat of its own, for which all of its rows are needed.
bool is_flat_dynamic(const Settings &settings, const Inspection &scan);

// What follows values that no flats correct: the steps that the correction would make as well.
std::string uncorrected(const Settings &settings, const Inspection &scan);
// From the source `scan`, whose rows these are, to corrected images.
std::string corrected(const Settings &settings, const Inspection &scan, const Rows &rows,
                      bool as_projections);

} // namespace tomo::reconstruction
