// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Processes that were forked from a process that had used the library. Threads do not live on in them,
// neither GStreamer's nor those of an OpenCL driver, so a wait for a device or an element would never end
// there.
#pragma once

#include <gst/tomo/support/error.hpp>

namespace tomo {

// All code that starts threads or calls OpenCL calls this first. Throws Error in a process that was forked
// after the first call.
GST_TOMO_API void use_threads();

// Whether this is such a process. Code must not call a device then, and does not release its handles.
GST_TOMO_API bool is_forked() noexcept;

// Throws Error in such a process.
GST_TOMO_API void must_not_be_forked();

} // namespace tomo
