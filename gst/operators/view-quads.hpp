// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/geometry/volume-grid.hpp>

#include <vector>

namespace tomo {

// `View` of kernels/general-view.h: linear forms of a voxel's numbers l, m and n, and a constant.
struct VoxelView {
    struct Form {
        double factors[4];
    };
    Form fast, slow, depth, distance;
    double weight;
    double unused[3];
};

// The view where m and n are counted from `m` and `n` on.
GST_TOMO_API VoxelView view_from(VoxelView view, double m, double n);

// The square of columns around the axis, at x = y = 0, that has those of a volume, from (x, y) on. A quarter
// of a turn takes its columns to each other.
struct GST_TOMO_API SquareOfColumns {
    unsigned side = 0, x = 0, y = 0; // side 0: there is none, or the volume is a small part of it
    static SquareOfColumns around(const VolumeGrid &volume);
    VolumeGrid grid(VolumeGrid volume) const;
};

// Views of a square volume at equal steps of a full turn, whose number is 4 Q. A quarter of a turn takes the
// volume's columns to columns, so view k + Q sees a turned column where view k sees the column itself,
// whatever the arrangement is, as long as only the volume turns, about its middle. Four views that are Q
// apart are a quad: what is computed for one of them holds for all.
class GST_TOMO_API ViewQuads {
  public:
    ViewQuads() = default;
    // `side` columns along m and n; forms differ by parts of a pixel where f and s go up to `pixels`.
    ViewQuads(unsigned views, unsigned side, unsigned lanes, unsigned pixels)
        : number_(views), side_(side), lanes_(lanes), pixels_(pixels) {}
    // Whether such a number of views has quads.
    static bool is_possible(unsigned views) { return views >= 4 && views % 4 == 0; }

    // The next view, or false where it breaks the quads.
    bool add(const VoxelView &view);
    bool is_complete() const { return number_ > 0 && views_.size() == number_; }

    const std::vector<VoxelView> &views() const { return views_; }
    unsigned quads() const { return number_ / 4; }
    unsigned quad_of(unsigned view) const { return view % quads(); }
    // Its place in the quad, counted in the sense in which m turns to n.
    unsigned part_of(unsigned view) const {
        const unsigned part = view / quads();
        return is_backwards_ ? (4 - part) % 4 : part;
    }
    bool is_backwards() const { return is_backwards_; } // views go on from n to m

  private:
    bool is_turned(const VoxelView &view, const VoxelView &before, double angle) const;

    unsigned number_ = 0, side_ = 0, lanes_ = 0, pixels_ = 0;
    bool is_backwards_ = false;
    std::vector<VoxelView> views_;
};

} // namespace tomo
