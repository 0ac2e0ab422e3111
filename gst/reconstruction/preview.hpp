// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/support/references.hpp>

#include <atomic>
#include <mutex>

namespace tomo::reconstruction {

// A copy of an image of the result while it is made, on request: who looks seldom costs the stream nothing.
class Preview {
  public:
    // From any thread: asks for the next image, and gives the one that was copied since the last call, with
    // its number as the buffer's offset. Null if there is none. Transfer full.
    GstSample *next();

    // In the stream: an array whose last image has this number.
    void offer(GstPad *pad, GstBuffer *buffer, guint64 number);

  private:
    std::atomic<bool> is_wanted_{false};
    std::mutex lock_;
    SampleRef last_;
};

} // namespace tomo::reconstruction
