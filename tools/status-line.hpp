// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How far something is, on standard error.
#pragma once

#include <chrono>
#include <string>

namespace tool {

// A line that is written over on a terminal, and one now and then elsewhere.
class StatusLine {
  public:
    explicit StatusLine(bool shows);

    bool is_terminal() const { return is_terminal_; }
    double elapsed() const;
    void update(const std::string &line);
    // In front of other output.
    void clear();
    // That stays.
    void finish(const std::string &line);

  private:
    const bool shows_, is_terminal_;
    bool is_open_ = false;
    double next_ = 10;
    const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

} // namespace tool
