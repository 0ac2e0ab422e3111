// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Memory and disk that a reconstruction takes.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>

namespace tomo::reconstruction {

// Rows that one dataflow takes.
struct Share {
    unsigned rows;        // 0 if the memory does not take one sinogram
    std::uint64_t memory; // bytes that the dataflow holds, about
};
Share rows_at_once(const Settings &settings, const Inspection &scan, const Rows &all);
// Bytes that so many rows of the result take at least.
std::uint64_t least_memory(const Settings &settings, const Inspection &scan, unsigned rows = 1);

// Bytes of files: the result, and the slabs that lie beside it until they are joined.
struct BytesOnDisk {
    std::uint64_t result, slabs;
};
GST_TOMO_API BytesOnDisk bytes_on_disk(const Settings &settings, const Inspection &scan);

// Whether memory or disk do not take the result.
std::optional<Finding> finding_about_room(const Settings &settings, const Inspection &scan);

} // namespace tomo::reconstruction
