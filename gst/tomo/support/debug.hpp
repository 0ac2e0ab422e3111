// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Debug categories that several files share, for GST_CAT_DEFAULT.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

namespace tomo {

GST_TOMO_API GstDebugCategory *device_debug();  // tomodevice
GST_TOMO_API GstDebugCategory *element_debug(); // tomoelement

} // namespace tomo
