// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The axis of a fan beam, from rays that are measured once from each side.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <vector>

namespace tomo::reconstruction {

// The middle row of all projections: line integrals of a fan beam about an axis across it.
struct FanSinogram {
    std::vector<float> values; // view by view
    unsigned columns = 0;
    std::vector<double> angles; // of the views, in radians
    double source_detector;     // pixels; infinite: a parallel beam
};

struct MirroredAxis {
    double axis, uncertainty;         // edge coordinates of the columns; one sigma. NaN where none is least
    std::vector<double> axes, values; // around it
    std::size_t pairs = 0;            // rays that were compared
};

// The ray of view t at the fan angle g comes back in view t + pi + 2 g at -g. With the right axis both have
// the same value. The axis is that between `from` and `to` where the squares of the differences are least, as
// a share of the squares of the values.
GST_TOMO_API MirroredAxis axis_of_mirrored_rays(const FanSinogram &sinogram, double from, double to);

} // namespace tomo::reconstruction
