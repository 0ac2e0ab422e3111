// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Scans of one sample at several heights, which become one volume: which scans these are, and where each of
// them lies.
#pragma once

#include <gst/reconstruction/plan.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tomo::reconstruction {

// One of the scans. Rows of the volume are those of the detector, counted from the first row of the uppermost
// scan.
struct Height {
    std::size_t number;       // in the order in which the scans are named
    const Settings *settings; // of this scan by itself
    const Inspection *scan;
    Axis axis;
    double top = 0.0;         // row of the volume at which its first row lies
    Displaced displaced = {}; // from the scan that was placed before
    std::size_t order = 0;    // in which the scans were placed

    // First row of the volume that it can give, and the first one behind them. Where its rows lie between
    // those of the volume, one image of `binning` rows serves to interpolate.
    unsigned first_row() const;
    unsigned end_row(unsigned binning) const;
    // The part of a row by which rows of the volume lie below the rows of this scan that begin before them.
    double part() const { return first_row() - top; }
};

// The names of all scans: that of `scan`, and those of `stitch`. Throws Error where one is empty.
std::vector<std::string> scans_of(const Settings &settings);
// The settings of one of the scans by itself.
void take_height(std::size_t number, const Settings &all, Settings &one);

// Runs a line of one of the scans to its end.
using RunLineOf = std::function<void(const Height &, const std::string &line)>;

// Puts the scans into their order from the top to the bottom, and finds where each of them lies. Returns the
// scan that they are together: rows and findings of all. Throws Error where no volume can be made of them.
Inspection place_heights(const Settings &settings, std::vector<Height> &heights, const RunLineOf &run_line);

// Writes axes and rolls into `whole`, once they are known.
void tell_axes(const std::vector<Height> &heights, Inspection &whole);

// The parameters that make the same volume again.
void resolve_heights(const std::vector<Height> &heights, Settings &resolved);

} // namespace tomo::reconstruction
