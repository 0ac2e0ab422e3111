// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace tool {

// One run of a program that another one drives. It tells events from `hello` to `done`.
class DrivenRun {
  public:
    DrivenRun() = default;
    virtual ~DrivenRun() = default;
    DrivenRun(const DrivenRun &) = delete;
    DrivenRun &operator=(const DrivenRun &) = delete;

    // Waits a while for something to happen; whether the run goes on.
    virtual bool poll() = 0;
    // A line of standard input that is not `run`.
    virtual void obey(const std::string &command) = 0;
    // Completes what was read.
    virtual void finish() = 0;
    virtual void abort() = 0;
    // After its end: the status of the program.
    virtual int end() = 0;
};

} // namespace tool
