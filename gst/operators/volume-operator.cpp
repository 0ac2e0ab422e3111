// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/volume-operator.hpp>

namespace tomo {

VolumeOperator::~VolumeOperator() = default;

} // namespace tomo
