// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Helpers for functions of the C interface.
#pragma once

#include <gst/tomo/device/gobject.hpp>

#include <string>
#include <vector>

namespace tomo {

// For functions that an application may call before gst_init().
inline void need_gstreamer() {
    if (!gst_is_initialized())
        gst_init(nullptr, nullptr);
}

// The caller frees the array by g_strfreev().
inline gchar **string_array(const std::vector<std::string> &strings) {
    auto **array = g_new0(gchar *, strings.size() + 1);
    for (std::size_t i = 0; i < strings.size(); i++)
        array[i] = g_strdup(strings[i].c_str());
    return array;
}

} // namespace tomo
