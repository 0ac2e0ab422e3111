// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Kernels, their work sizes and their arguments.
#pragma once

#include <gst/tomo/device/device-array.hpp>

namespace tomo {

// Global and work-group size of a launch; a work-group of zeros leaves the choice to the driver.
struct GST_TOMO_API WorkSize {
    std::size_t global[3] = {1, 1, 1};
    std::size_t local[3] = {0, 0, 0};
    std::size_t offset[3] = {0, 0, 0};

    WorkSize(std::size_t x, std::size_t y = 1, std::size_t z = 1) : global{x, y, z} {}
    explicit WorkSize(const ArrayInfo &info) : global{info.width, info.height, info.depth} {}
    // Sets the size of work-groups and rounds the global size up, so the kernel has to check its limits.
    WorkSize &groups(std::size_t x, std::size_t y = 1, std::size_t z = 1);
};

// A handle: all copies share one kernel and keep it alive. For one thread at a time: OpenCL does not allow
// several threads to set arguments of one kernel.
class Kernel {
  public:
    Kernel() = default;
    Kernel(ClKernel handle, std::string name)
        : facts_(std::make_shared<const Facts>(Facts{std::move(handle), std::move(name)})) {}

    explicit operator bool() const { return facts_ != nullptr; }
    cl_kernel get() const { return facts_->handle.get(); }
    const std::string &name() const { return facts_->name; }

  private:
    struct Facts {
        ClKernel handle;
        std::string name;
    };
    std::shared_ptr<const Facts> facts_;
};

// Arguments that are not plain values
// ------------------------------------------------------------------------------------------------

// An argument in local memory.
struct LocalMemory {
    std::size_t bytes;
};

// An array as one argument: the whole buffer, without an offset. For tables that the kernel reads.
struct BareBuffer {
    const Array &array;
};

// The same for an array that the kernel reads and writes.
struct ReadWriteBareBuffer {
    Array &array;
};

// An array that the kernel reads and writes.
struct ReadWrite {
    Array &array;
};

// Place of rows in an array, in bytes: the offset of the first row from the array's start, and the distance
// from one row to the next.
struct Rows {
    std::size_t offset = 0;
    std::size_t pitch = 0;
};

} // namespace tomo
