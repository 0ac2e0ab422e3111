// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// From the C types of the public interface to the C++ objects behind them.
#pragma once

#include <gst/tomo/device/context.hpp>
#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/references.hpp>

typedef struct _GstTomoContext GstTomoContext;
typedef struct _GstTomoDevice GstTomoDevice;

namespace tomo {

// For functions of the C interface: runs `function`. An exception becomes a GError, and the result is empty.
template <class Function>
auto to_gerror(GError **error, Function function) -> decltype(function()) {
    try {
        return function();
    } catch (...) {
        const Error e = current_error();
        g_set_error_literal(error, e.domain, e.code, e.what());
    }
    return {};
}

// For functions without a GError: runs `function`. An exception becomes a critical message, and the result is
// empty.
template <class Function>
auto to_critical(const char *who, Function function) noexcept -> decltype(function()) {
    try {
        return function();
    } catch (...) {
        g_critical("%s: %s", who, current_error().what());
    }
    return decltype(function())();
}

// For functions that GObject lets return no failure, as those that make an object: as GLib itself where
// memory is short, an exception ends the process, with a message.
template <class Function>
auto or_end_process(const char *who, Function function) noexcept -> decltype(function()) {
    try {
        return function();
    } catch (...) {
        g_error("%s: %s", who, current_error().what());
    }
}

GST_TOMO_API const std::shared_ptr<Context> &context_of(GstTomoContext *context);
GST_TOMO_API GstTomoContext *new_context_object(std::shared_ptr<Context> context); // transfer full
GST_TOMO_API const std::shared_ptr<Device> &device_of(GstTomoDevice *device);
GST_TOMO_API GstTomoDevice *new_device_object(std::shared_ptr<Device> device); // transfer full

// The storage behind a GstTomoMemory; null for memory of any other type. `offset` of the memory is in
// bytes from the storage's start.
GST_TOMO_API const std::shared_ptr<Storage> &storage_of(GstMemory *memory);
GST_TOMO_API GstMemory *new_memory(std::shared_ptr<Storage> storage); // transfer full

// The error of this thread's last map that failed; empty if there is none.
GST_TOMO_API std::string take_map_error();

} // namespace tomo
