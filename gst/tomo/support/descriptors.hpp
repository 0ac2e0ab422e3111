// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// File descriptors, of which a process may have few (ulimit -n): what can't do without any asks before.
#pragma once

#include <gst/tomo/support/error.hpp>

namespace tomo {

// Whether so many can be opened now.
GST_TOMO_API bool can_open_files(unsigned count) noexcept;

// Throws Error unless so many can be opened; `who` is the one that needs them.
GST_TOMO_API void need_files(unsigned count, const char *who);

// Exceptions need descriptors, too, where libunwind is the unwinder: without two for its pipe, which it opens
// with the first exception and keeps, it ends the process. Sees to it that it has them; false where there are
// none left.
GST_TOMO_API bool prepare_exceptions() noexcept;

} // namespace tomo
