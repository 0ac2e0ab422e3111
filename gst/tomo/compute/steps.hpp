// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <deque>

namespace tomo {

// Long work on one array, step by step: the host enqueues only a few steps ahead of the device, so that a
// flush, a stop or an early end of the stream takes effect within the time of these.
class GST_TOMO_API Steps {
  public:
    explicit Steps(Compute &compute) : compute_(compute) {}

    // Behind the commands of a step, of which the last one writes `newest`. Throws Flushing where nobody
    // waits for the result any more.
    void done(const Array &newest);

  private:
    Compute &compute_;
    std::deque<Stamp> under_way_;
};

} // namespace tomo
