// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Moves projections back by the displacements that the scan or a file tells.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// The file of the displacements, where one is named.
std::string shifts_file(const Settings &settings);

// Whether displacements count, and whether some of them are along the axis, so that sinograms take part in
// each other.
bool are_shifts_corrected(const Settings &settings, const Inspection &scan);
bool are_rows_shifted(const Settings &settings, const Inspection &scan);

// Rows of the binned detector above and below, in detector pixels, that take part in the rows between them.
struct ShiftMargin {
    unsigned above = 0, below = 0;
};
ShiftMargin shift_margin(const Settings &settings, const Inspection &scan);

// Properties of an element that make these rows of its input alone, counted from `first` of it.
std::string chosen_rows(unsigned first, const Rows &rows);

// " ! " and the element that gives `rows` of projections, the first of which is that many rows below the
// first one that comes, both in pixels as they come.
std::string shift_line(const Settings &settings, unsigned first, const Rows &rows);
// The same for sinograms.
std::string shift_line(const Settings &settings);

} // namespace tomo::reconstruction
