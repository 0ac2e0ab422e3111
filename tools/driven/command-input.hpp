// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace tool {

// What a program that drives this one writes to its standard input: a command in each line.
class CommandInput {
  public:
    // The lines that have come, without waiting; of a line that is too long its begin.
    std::vector<std::string> take();
    // Waits until there is something to read, its end or a signal, at most that long.
    static void wait(int milliseconds);
    // Whether the last call of take() has found the end. A named pipe goes on where another program opens it.
    bool has_ended() const { return has_ended_; }

  private:
    std::string read_some();

    bool has_ended_ = false, is_too_long_ = false;
    std::string begun_; // a line that is not complete
};

} // namespace tool
