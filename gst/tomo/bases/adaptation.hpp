// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <atomic>

namespace tomo {

// The work that an element owes before its next array, because its input, a property or its peer has changed.
// It stays due until it has succeeded: a flush or a stop in between does not cancel it.
class Adaptation {
  public:
    void demand() { due_ = true; } // from any thread

    // Calls `adapt` if work is due.
    template <class F>
    GstFlowReturn carry_out(F adapt) {
        if (!due_.exchange(false))
            return GST_FLOW_OK;
        struct DueUntilDone {
            std::atomic<bool> &due;
            bool is_done = false;
            ~DueUntilDone() {
                if (!is_done)
                    due = true;
            }
        } work{due_};
        const GstFlowReturn flow = adapt();
        work.is_done = flow == GST_FLOW_OK;
        return flow;
    }

  private:
    std::atomic<bool> due_{false};
};

} // namespace tomo
