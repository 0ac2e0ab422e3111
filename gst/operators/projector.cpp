// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/projector.hpp>

namespace tomo {

Projector::~Projector() = default;

} // namespace tomo
