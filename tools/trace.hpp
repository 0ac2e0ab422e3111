// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace tool {

// Records from its making on when each element of this process worked on an array, in which thread. At most
// one at a time.
class Trace {
  public:
    Trace();
    ~Trace();
    Trace(const Trace &) = delete;
    Trace &operator=(const Trace &) = delete;

    const std::string &file() const { return file_; }
    // Chrome's trace event format; false if it can't be written.
    bool write() const;

  private:
    std::string file_;
};

} // namespace tool
