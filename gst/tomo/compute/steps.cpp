// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

namespace tomo {

void Steps::done(const Array &newest) {
    const auto &device = *compute_.device();
    cl_check(clFlush(compute_.queue()), "submitting commands");
    under_way_.push_back(newest.storage()->last_write());
    // A device with memory of its own takes longer to hear of new commands, and less to do them.
    const std::size_t most = device.shares_host_memory() ? 1 : 8;
    if (under_way_.size() > most && compute_.is_result_wanted()) {
        wait_for(under_way_.front(), text("computing on %s", device.name().c_str()));
        under_way_.pop_front();
    }
    if (!compute_.is_result_wanted())
        throw Flushing();
}

} // namespace tomo
