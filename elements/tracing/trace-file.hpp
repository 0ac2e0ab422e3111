// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file of events on time lines, which ui.perfetto.dev and chrome://tracing show.
#pragma once

#include <gst/tomo/support/text-file.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tomo {

// Trace Event Format, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU, in its
// form of a JSON object. Written as it comes, so that a long stream needs no memory. Times are in
// nanoseconds.
class TraceFile {
  public:
    // Throws Error.
    explicit TraceFile(const std::string &path);

    // A group of time lines, and one in it; both are named once.
    void name_group(unsigned group, const std::string &name);
    void name_line(unsigned group, unsigned line, const std::string &name);
    // Something that takes time. `details` is a JSON object or empty.
    void span(unsigned group, unsigned line, const std::string &name, std::int64_t begin,
              std::int64_t duration, const std::string &details = {});
    // A number that changes with time.
    void level(unsigned group, const std::string &name, std::int64_t time, std::uint64_t value);

    // Makes a whole JSON document of what there is, with a member "tomo"; further events may follow.
    void complete(const std::string &summary);

  private:
    void add(const std::string &event);

    std::string path_;
    TextFile file_;
    bool is_empty_ = true;
    bool has_failed_ = false;
};

} // namespace tomo
