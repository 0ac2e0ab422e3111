// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/view-sweep.hpp>

namespace tomo {

ViewSweep::~ViewSweep() = default;

} // namespace tomo
