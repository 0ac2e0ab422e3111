// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Strings that GLib allocated, with an owner.
#pragma once

#include <glib.h>

#include <memory>

namespace tomo {

struct Free {
    void operator()(gpointer p) const { g_free(p); }
};
using CString = std::unique_ptr<char, Free>;

} // namespace tomo
