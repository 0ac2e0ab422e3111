// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Slices of scans at several heights, as one volume. Slices are joined, not projections: each scan keeps its
// own axis and roll, and they differ between heights. In slices these have become one place.
#pragma once

#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/heights.hpp>

namespace tomo::reconstruction {

// Images of the volume that are made of the same scans, one behind the other.
struct StitchedPart {
    unsigned first, images; // of the result
    Rows rows;              // of the volume
    std::size_t upper;      // the scan, or the upper one of two
    bool fades;             // from that to the next one
    // Place of the first image between both scans, and the whole way, in images; see tomofade.
    double way_begin, way;
};

// From the top to the bottom. Where two neighbours see a row, the volume passes from one to the other. Where
// three scans do, it passes to the middle one up to half of these rows, and from there on to the lowest one.
// Throws Error where images can't be made.
std::vector<StitchedPart> stitched_parts(const Settings &settings, const Inspection &whole,
                                         const std::vector<Height> &heights);

// The part's rows in one of its scans, with those that serve to interpolate.
Rows rows_in(const Height &height, const StitchedPart &part, unsigned binning);
// The size and place that slices of all heights have: those of the uppermost one.
SliceFrame frame_of_slices(const std::vector<Height> &heights);
// A line to the slices of a part, without a sink. Elements of the lower scan have names that begin with
// "lower-".
std::string stitched_line(const Settings &settings, const std::vector<Height> &heights,
                          const StitchedPart &part);

} // namespace tomo::reconstruction
