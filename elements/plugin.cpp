// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tracing/tracer.hpp"

#include <gst/tomo/support/descriptors.hpp>

#define TOMO_REGISTER(Class) gboolean tomo_register_##Class(GstPlugin *plugin);
#include "elements.inc"
#undef TOMO_REGISTER

// No OpenCL call here: loading a plugin must be quick and safe also where a driver is not.
static gboolean plugin_init(GstPlugin *plugin) {
    if (!tomo::prepare_exceptions()) {
        g_warning("gst-tomo can't be used, as no file can be opened any more: raise the limit of open files "
                  "(ulimit -n)");
        return FALSE;
    }
    gboolean all = tomo_register_tracer(plugin);
#define TOMO_REGISTER(Class) all &= tomo_register_##Class(plugin);
#include "elements.inc"

    using namespace tomo;

#undef TOMO_REGISTER
    return all;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, tomo, "Streamed X-ray imaging with OpenCL",
                  plugin_init, VERSION, "LGPL", PACKAGE, "https://github.com/gst-tomo/gst-tomo")
