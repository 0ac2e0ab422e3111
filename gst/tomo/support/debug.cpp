// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/debug.hpp>

namespace tomo {

static GstDebugCategory *make_category(const char *name, const char *description) {
    GstDebugCategory *category = nullptr;
    GST_DEBUG_CATEGORY_INIT(category, name, 0, description);
    return category;
}

GstDebugCategory *device_debug() {
    static GstDebugCategory *const category = make_category("tomodevice", "OpenCL devices of gst-tomo");
    return category;
}

GstDebugCategory *element_debug() {
    static GstDebugCategory *const category = make_category("tomoelement", "elements of gst-tomo");
    return category;
}

} // namespace tomo
