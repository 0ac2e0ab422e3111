// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/threads.hpp>

#include <system_error>

namespace tomo {

std::thread start_thread(std::function<void()> work) {
    try {
        return std::thread(std::move(work));
    } catch (const std::system_error &error) {
        throw Error(
            GST_RESOURCE_ERROR_FAILED,
            text("no thread can be started (%s): the limit of processes and threads (ulimit -u, or that "
                 "of the container or the service) or the memory is used up; end other programs, or "
                 "raise the limit",
                 error.code().message().c_str()));
    }
}

} // namespace tomo
