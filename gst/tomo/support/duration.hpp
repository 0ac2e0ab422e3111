// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <string>

namespace tomo {

// As in 1:02:03 or 2:03.
GST_TOMO_API std::string duration_text(double seconds);
// The same of a time that is not known exactly: below a minute as in 2.3 s.
GST_TOMO_API std::string expected_text(double seconds);

} // namespace tomo
