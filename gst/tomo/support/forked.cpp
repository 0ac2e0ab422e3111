// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/forked.hpp>

#include <atomic>
#include <mutex>

#include <pthread.h>

namespace tomo {

namespace {

std::atomic<bool> forked{false};

} // namespace

void use_threads() {
    must_not_be_forked();
    static std::once_flag watching;
    std::call_once(watching, [] { pthread_atfork(nullptr, nullptr, [] { forked = true; }); });
}

bool is_forked() noexcept { return forked.load(std::memory_order_relaxed); }

void must_not_be_forked() {
    if (is_forked())
        throw Error(
            GST_LIBRARY_ERROR_INIT,
            "this process was forked from one that had used gst-tomo, whose devices and threads do not live "
            "on "
            "in it: start processes afresh, in Python with multiprocessing.set_start_method(\"spawn\") or "
            "\"forkserver\", or fork before gst-tomo is first used");
}

} // namespace tomo
