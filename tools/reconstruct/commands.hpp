// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace reconstruct {

// What a program that drives this one writes to its standard input: a JSON object per line, such as
// {"command": "finish"}.
class Commands {
  public:
    // Names of the commands that have come, without waiting. Throws Error on a line that is none.
    std::vector<std::string> take();

  private:
    bool has_ended_ = false;
    std::string begun_; // a line that is not complete
};

} // namespace reconstruct
