// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <stdexcept>
#include <string>

namespace tomo {

// printf into a string.
GST_TOMO_API std::string text(const char *format, ...) G_GNUC_PRINTF(1, 2);

// An error as an element will post it. `what()` is for the user: it names the part that failed, the bad
// input, the wanted input and the remedy. `debug` adds details for developers, for instance a compiler's log.
class GST_TOMO_API Error : public std::runtime_error {
  public:
    Error(GQuark domain, int code, const std::string &message, std::string debug = {})
        : std::runtime_error(message), domain(domain), code(code), debug(std::move(debug)) {}
    Error(GstResourceError code, const std::string &message, std::string debug = {})
        : Error(GST_RESOURCE_ERROR, code, message, std::move(debug)) {}
    Error(GstStreamError code, const std::string &message, std::string debug = {})
        : Error(GST_STREAM_ERROR, code, message, std::move(debug)) {}
    Error(GstLibraryError code, const std::string &message, std::string debug = {})
        : Error(GST_LIBRARY_ERROR, code, message, std::move(debug)) {}
    Error(GstCoreError code, const std::string &message, std::string debug = {})
        : Error(GST_CORE_ERROR, code, message, std::move(debug)) {}

    GQuark domain;
    int code;
    std::string debug;
};

// A stream can't go on because its pads are being flushed or stopped; not an error to report.
class GST_TOMO_API Flushing : public std::exception {
  public:
    const char *what() const noexcept override { return "flushing"; }
};

// The exception that is being handled, of any type, as an Error. Functions called from C use it, because no
// exception may cross C code.
GST_TOMO_API Error current_error();

} // namespace tomo
