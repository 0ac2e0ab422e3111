// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pictures of a result as files in PNG, for people: with a grey range by percentiles and a scale bar.
#pragma once

#include <gst/reconstruction/report/result-slices.hpp>

namespace tomo::reconstruction {

constexpr unsigned most_side_of_picture = 4000; // pixels

// The middle slice. Neither side is longer than `most` pixels.
std::string picture_of_middle(const Plan &plan, unsigned binning, double pixel_size, unsigned most);

// The slices of a sweep beside each other, each with its value, all in one grey range.
struct Mosaic {
    std::string png;
    unsigned columns = 0, every = 1; // of the values, which one is shown
    unsigned panel_width = 0, panel_height = 0;
    // Of the first panel, and from one to the next.
    unsigned x = 0, y = 0, step_x = 0, step_y = 0;
    unsigned label_height = 0; // of the band above each panel
    std::pair<double, double> grey;
};

// `labels` has one for each slice, `best` the number of one that is
// marked.
Mosaic mosaic_of(const Plan &plan, const std::vector<std::string> &labels, std::optional<std::size_t> best,
                 double pixel_size, unsigned most);

} // namespace tomo::reconstruction
