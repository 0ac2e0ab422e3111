// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/transform.hpp>

namespace tomo {

// Many arrays in, some arrays out: after any of them, or at the end of the stream.
//
// consume() must not keep its input: what the element needs later it copies to memory of its own, so that the
// pools of others never run dry.
class GST_TOMO_API Reducer : public Transform {
  public:
    // New input; throws Error on what can't be processed. What was gathered so far has been given out.
    virtual void begin(const ArrayInfo &in) = 0;
    virtual void consume(const Array &in) = 0;
    // The end of the stream; afterwards ready() tells of what is left. Throws Error when something is missing.
    virtual void finish() {}
    // Whether produce() has another output, and the output itself.
    virtual bool ready() const = 0;
    virtual Array produce() = 0;
    // Forget everything.
    virtual void clear() = 0;

  protected:
    void input_changed() override;
    GstFlowReturn take(GstBuffer *buffer) override;
    GstFlowReturn drain() override;
    void reset() override;

  private:
    GstFlowReturn push_ready();

    // Time of the first input of those that the next outputs come from.
    BufferRef first_;
    GstClockTime end_ = GST_CLOCK_TIME_NONE;
    std::uint64_t produced_ = 0;
};

} // namespace tomo
