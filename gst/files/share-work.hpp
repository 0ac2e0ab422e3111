// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <functional>

namespace tomo::io {

// Threads that writing may use: those of the processor, but no more than 16.
unsigned threads_for_writing();

// Calls work(0), ... work(count - 1) in this thread and up to threads - 1 others, and returns when all have
// returned. Throws the exception of a call that failed; no further calls are begun then.
void share_work(std::size_t count, unsigned threads, const std::function<void(std::size_t)> &work);

} // namespace tomo::io
