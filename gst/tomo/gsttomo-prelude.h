/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

/**
 * GST_TOMO_API: (skip)
 *
 * Marks the symbols that the library exports; all others stay hidden.
 */
#ifndef GST_TOMO_API
#if defined(_WIN32)
#define GST_TOMO_API
#else
#define GST_TOMO_API __attribute__((visibility("default")))
#endif
#endif
