// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace tomo::io {

// A frame of a stream and the place where it is stored.
struct StoredFrame {
    std::uint64_t number;
    ArrayInfo info; // as it is stored
    std::string file;
    std::size_t page = 0;
    unsigned parts = 1; // that can be read at the same time
};

// Whether nobody wants any more what a thread works at.
using IsCancelled = std::function<bool()>;

// Reads a part of a frame into memory of the whole frame's size. Where that takes long, it throws Flushing
// once it is cancelled.
using FrameReader = std::function<void(const StoredFrame &, unsigned part, void *, const IsCancelled &)>;

} // namespace tomo::io
