// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Kernels, and what they are launched with.
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
    // Work-groups of this size; the global size is rounded up, so the kernel has to look at its limits.
    WorkSize &groups(std::size_t x, std::size_t y = 1, std::size_t z = 1);
};

// Not shared by threads: setting arguments is the one thing OpenCL does not let them do at once.
struct Kernel {
    ClKernel handle;
    std::string name;
};

// Arguments that are more than a value
// ------------------------------------------------------------------------------------------------

// Local memory as a kernel argument.
struct LocalMemory {
    std::size_t bytes;
};

// An array as one argument: the whole buffer, without an offset; for tables.
struct BareBuffer {
    const Array &array;
};

// The same for one that is read and written.
struct ReadWriteBareBuffer {
    Array &array;
};

// An array argument that is read and written.
struct ReadWrite {
    Array &array;
};

// Where rows of bytes lie in an array: the first one's distance from the array's start, and that of each to
// the next.
struct Rows {
    std::size_t offset = 0;
    std::size_t pitch = 0;
};

} // namespace tomo
