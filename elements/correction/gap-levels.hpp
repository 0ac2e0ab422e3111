// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The equations of pixels that are to be filled, on coarser and coarser grids.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <array>
#include <cstdint>
#include <vector>

namespace tomo {

// Row i of a level says diagonal[i] u[i] - sum of weights[i][k] u[links[i][k]] = b[i].
struct GapLevel {
    using Four = std::array<std::uint32_t, 4>;
    static constexpr std::uint32_t none = UINT32_MAX;

    std::vector<float> diagonal;
    std::vector<Four> links; // left, right, up, down; the row itself, with weight 0, where there is none
    std::vector<std::array<float, 4>> weights;
    std::vector<std::uint32_t> parents; // rows of the next level; empty in the last one
    std::vector<Four> children;         // of the level before; `none` behind the last one

    std::size_t rows() const { return diagonal.size(); }
};

struct GapLevels {
    std::vector<std::uint32_t> positions; // of the rows of the first level in the planes
    std::vector<GapLevel> levels;         // none if nothing is to be filled
    std::vector<unsigned> lost;           // planes without a pixel to start from
};

// A row for each pixel of the planes that is not 0 in `marks`: the sum of its differences to its neighbours
// in the image. A row of the next level stands for the rows of 2 x 2 places, and has the sum of their
// equations. In the last level no row has links.
GapLevels gap_levels(const std::uint8_t *marks, unsigned width, unsigned height, unsigned planes);

} // namespace tomo
