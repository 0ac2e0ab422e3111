// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What functions of the C interface share.
#pragma once

#include <gst/tomo/device/gobject.hpp>

#include <string>
#include <vector>

namespace tomo {

// For functions that may be the first that an application calls.
inline void need_gstreamer() {
    if (!gst_is_initialized())
        gst_init(nullptr, nullptr);
}

// To be freed by g_strfreev().
inline gchar **string_array(const std::vector<std::string> &strings) {
    auto **array = g_new0(gchar *, strings.size() + 1);
    for (std::size_t i = 0; i < strings.size(); i++)
        array[i] = g_strdup(strings[i].c_str());
    return array;
}

} // namespace tomo
