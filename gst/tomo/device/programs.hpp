// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Programs of one device, compiled once and kept in memory and on disk.
#pragma once

#include <gst/tomo/device/cl.hpp>
#include <gst/tomo/support/recently-used.hpp>

#include <string>

namespace tomo {

// Keeps only the most recently used programs in memory, because a process that takes expressions from users
// compiles new ones without end. Dropped programs stay on disk, and live on in their kernels.
class GST_TOMO_API Programs {
  public:
    // `device` and `driver` are names, which take part in the key of a program.
    Programs(cl_context context, cl_device_id id, const std::string &device, const std::string &driver,
             std::size_t most = 256);

    // A built program, from memory, from disk or from the compiler. From any thread: threads that need the
    // program wait while it is compiled, other threads do not. Throws Error with the compiler's log.
    ClProgram get(const std::string &name, const std::string &source, const std::string &options);
    std::size_t count() const { return programs_.count(); }

  private:
    ClProgram build(const std::string &name, const std::string &source, const std::string &options,
                    const std::string &path) const;

    const cl_context context_;
    const cl_device_id id_;
    const std::string device_, driver_;
    RecentlyUsed<std::string, ClProgram> programs_; // by their paths on disk
};

} // namespace tomo
