// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How far one scan of a tall sample lies below another one, by the rows that both of them see.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace tomo::reconstruction {

// Some views of a scan: absorption in rows of the detector, averaged over groups of columns.
struct RowProfiles {
    std::size_t rows = 0, features = 0; // features: groups of columns of all views
    std::vector<float> values;          // rows x features

    const float *row(std::size_t number) const { return values.data() + number * features; }
};

struct Displacement {
    double rows;        // of the other scan's first row below that of the one; negative: above
    double uncertainty; // one sigma, as far as the noise tells
    double likeness;    // 1: equal; 0: no more alike than any rows
};

// The other scan's rows are laid on those of the one at each displacement that leaves `least` rows in common.
// Those are most alike where the squared difference is small against the variance along the rows in both;
// more rows in common count more, by their square root. Parts of a row follow from linear interpolation in
// both scans by half of the part, which blurs both alike. Empty if no displacement stands out.
GST_TOMO_API std::optional<Displacement> displacement_between(const RowProfiles &one,
                                                              const RowProfiles &other, std::size_t least);

} // namespace tomo::reconstruction
