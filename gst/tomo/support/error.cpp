// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/error.hpp>

#include <cstdarg>
#include <memory>
#include <new>

namespace tomo {

std::string text(const char *format, ...) {
    va_list args;
    va_start(args, format);
    std::unique_ptr<char, decltype(&g_free)> printed(g_strdup_vprintf(format, args), g_free);
    va_end(args);
    return printed.get();
}

Error current_error() {
    try {
        throw;
    } catch (const Error &error) {
        return error;
    } catch (const std::bad_alloc &) {
        return {GST_RESOURCE_ERROR_NO_SPACE_LEFT, "the computer has not enough memory for this"};
    } catch (const std::exception &e) {
        return {GST_LIBRARY_ERROR_FAILED, e.what()};
    } catch (...) {
        return {GST_LIBRARY_ERROR_FAILED, "an exception of an unknown type"};
    }
}

} // namespace tomo
