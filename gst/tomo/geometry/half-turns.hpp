// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Scans of a whole turn with the axis near one edge of the detector. Each half turn sees the sample on one
// side of the axis, and both see a strip around it.
#pragma once

#include <gst/tomo/geometry/axis.hpp>

#include <string>
#include <vector>

namespace tomo {

// The detector, continued until it reaches as far on either side of the axis.
struct GST_TOMO_API ExtendedField {
    unsigned left = 0;         // columns that are added on the left
    unsigned columns = 0;      // all columns
    bool ends_at_right = true; // whether the detector ends next to the axis at its right edge
    double overlap = 0.0;      // columns, around the axis, that both half turns see

    // Half of the width over which one half turn gives way to the other: between the centres of the
    // outermost pixels, where rows can be sampled, and at least one pixel in all.
    double half_transition() const;
};

GST_TOMO_API ExtendedField extended_field(double axis, unsigned columns);

enum class HalfTurnMethod { automatic, join, weigh };

// The rows of a sinogram of a whole turn, as rows of the extended field.
struct GST_TOMO_API HalfTurns {
    // A row of the output, as in the kernels.
    struct Row {
        unsigned own;                   // view whose pixels stay where they are
        unsigned before = 0, after = 0; // views around the one that looks against it
        float value;                    // joined: weight of the later one; weighed: factor of the row
    };

    bool is_joined = false;
    std::vector<double> angles; // of the output's rows
    std::vector<Row> rows;
    std::size_t left_out = 0; // views that are in no row; only where they are joined
    double widest_gap = 0.0;  // radians between directions that follow each other on the circle

    // A sentence about directions that are missing or views that are left out; else empty.
    std::string warning() const;
};

// Joined rows are those of the first half turn, each with the mirrored view that looks against it. That view
// is interpolated between two, unless one of them looks so closely along the same lines that no place in the
// field moves by more than 1/50 of a pixel.
//
// Weighed rows are all views. A row's factor is its share of the whole turn over its share of the half turn,
// with which backproject weighs it, so that rows fit any list of angles.
//
// `automatic` joins where this loses nothing: all views are used, and pixels and views of one half turn meet
// those of the other. Throws Error where the angles are no whole turn.
GST_TOMO_API HalfTurns half_turns(const std::vector<double> &angles, const Axis &axis, HalfTurnMethod method);

} // namespace tomo
