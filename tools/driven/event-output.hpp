// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/support/json.hpp>

#include <string>

namespace tool {

// Standard output as a place for events and nothing else: what other code of this process writes there, such
// as printf of a kernel, goes to standard error. A process that can't write an event ends, because the
// program that drives it would wait for ever.
class EventOutput {
  public:
    EventOutput();
    ~EventOutput();
    EventOutput(const EventOutput &) = delete;
    EventOutput &operator=(const EventOutput &) = delete;

    void tell(const tomo::Json &event) { tell(event.written(false)); }
    void tell(const std::string &event);

    // Events go to a new file until end_divert(), and what others write to standard error to another one;
    // either name may be empty. Throws std::runtime_error where that can't be.
    void divert(const std::string &events, const std::string &errors);
    void end_divert();

  private:
    int own_, diverted_ = -1, errors_ = -1; // descriptors; errors_ is that of standard error meanwhile
};

} // namespace tool
