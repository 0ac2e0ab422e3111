// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What may be told to a live run, by programs and by people.
#pragma once

#include "session.hpp"

namespace tomo::live {

// A command in JSON.
class LiveCommand {
  public:
    // Throws Error if it is none.
    explicit LiveCommand(const std::string &written);

    // Whether it changes parameters; other commands steer a run.
    bool changes() const;
    void change(LiveSettings &settings) const;
    void steer(Session &session) const;

  private:
    std::string name_;
    std::optional<unsigned> index_, count_;
    std::string plane_, parameter_, value_, path_;
    double seconds_ = 0.0;
};

} // namespace tomo::live
