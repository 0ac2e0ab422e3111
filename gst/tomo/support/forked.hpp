// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Processes that were forked off one which had used the library. Threads do not live on in them, neither
// GStreamer's nor those of an OpenCL driver; so whoever waited there for a device or an element waited for
// ever.
#pragma once

#include <gst/tomo/support/error.hpp>

namespace tomo {

// Called by all that starts threads or asks OpenCL for something; throws Error in a process that was forked
// off one in which that had happened.
GST_TOMO_API void use_threads();

// Whether this is such a process. Nothing of a device may be asked for then; what is left of it is not
// released.
GST_TOMO_API bool is_forked() noexcept;

// Throws Error in such a process.
GST_TOMO_API void must_not_be_forked();

} // namespace tomo
