// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/support/error.hpp>

#include <functional>
#include <thread>

namespace tomo {

// Starts a thread. If the system gives no thread, throws an Error with a remedy.
GST_TOMO_API std::thread start_thread(std::function<void()> work);

} // namespace tomo
