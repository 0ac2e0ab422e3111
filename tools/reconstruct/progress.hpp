// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "options.hpp"

#include "../status-line.hpp"

namespace reconstruct {

// Tells the events of a reconstruction to people, on standard error.
class Progress {
  public:
    Progress(const std::string &program, ProgressAs as);

    void on_event(const std::string &event);
    // In front of other output.
    void clear() { line_.clear(); }

  private:
    void tell(const tomo::Json &event);
    void complain(const std::string &text);

    const std::string program_;
    const ProgressAs as_;
    tool::StatusLine line_;
};

} // namespace reconstruct
