// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// File descriptors, of which a process may have few (ulimit -n): code that can't report their absence checks
// for them first.
#pragma once

#include <gst/tomo/support/error.hpp>

namespace tomo {

// Whether the process can open `count` files now.
GST_TOMO_API bool can_open_files(unsigned count) noexcept;

// Throws Error unless the process can open `count` files; `who` names the part that needs them.
GST_TOMO_API void need_files(unsigned count, const char *who);

// Exceptions need descriptors, too, where libunwind is the unwinder: it opens a pipe with the first exception
// and keeps it, and it ends the process if there are no two descriptors for that pipe. This function makes
// libunwind open the pipe early; false where no descriptors are left.
GST_TOMO_API bool prepare_exceptions() noexcept;

} // namespace tomo
