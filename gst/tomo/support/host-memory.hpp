// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <cstdint>

namespace tomo {

// Bytes of memory that the computer has; 4 GiB if the system does not tell it.
GST_TOMO_API std::uint64_t host_memory();

} // namespace tomo
