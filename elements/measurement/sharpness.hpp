// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers that tell how sharp a plane is; tomomeasuresharpness has their formulas.
#pragma once

#include <gst/tomo/compute/compute.hpp>

namespace tomo::measurement {

// The first three in the order of sharpness_part in kernels/measure.cl.
enum class Sharpness { gradient, absolute, negativity, entropy };

// That of each plane, within a circle around its middle, or of all pixels with the radius 0. The kernels take
// the type of `in` as that of the compute's array of that name.
std::vector<double> sharpness(Compute &compute, const Array &in, Sharpness what, float radius);

} // namespace tomo::measurement
