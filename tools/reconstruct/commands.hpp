// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace reconstruct {

// What a program that drives this one writes to its standard input: a command in each line.
class Commands {
  public:
    // The lines that have come, without waiting; of a line that is too long its begin.
    std::vector<std::string> take();

  private:
    bool has_ended_ = false, is_too_long_ = false;
    std::string begun_; // a line that is not complete
};

} // namespace reconstruct
