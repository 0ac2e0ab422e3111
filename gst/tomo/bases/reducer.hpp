// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/transform.hpp>

namespace tomo {

// Many arrays in, some arrays out: after any of them, or at the end of the stream.
//
// consume() must not keep its input: what the element needs later it copies to memory of its own, so that the
// pools of others never run dry.
//
// Outputs take over the time of the inputs that they are made of. Where an output's shape has a frame rate,
// those that come at once follow each other at that rate from the first input's time on; otherwise each has
// the whole span.
class GST_TOMO_API Reducer : public Transform {
  public:
    // New input; throws Error on what can't be processed. What was gathered so far has been given out.
    void begin(const ArrayInfo &in) override = 0;
    virtual void consume(const Array &in) = 0;
    // The end of the stream or of its shape; afterwards ready() tells of what is left. Throws Error when
    // something is missing. Not called when nothing came since the last output.
    virtual void finish() {}
    // How many arrays have come of a set of `number` that is not complete; 0 for elements that make no sets
    // of one number. A live stream and one that somebody interrupts may end there: these arrays are left out
    // then, with a warning that counts them, instead of finish() being called.
    virtual unsigned unfinished_set() const { return 0; }
    // Whether produce() has another output, and the output itself.
    virtual bool ready() const = 0;
    virtual Array produce() = 0;
    // Forget everything that came.
    void clear() override = 0;

    std::optional<std::uint64_t> output_count(std::uint64_t, const ArrayInfo &) const override { return {}; }

  protected:
    // Whether there is an output for each input, made of it and of those around it: it takes over what is
    // known about that one. An output more is an error.
    virtual bool gives_one_each() const { return false; }

    GstFlowReturn take(GstBuffer *buffer) override;
    GstFlowReturn drain() override;
    void reset() override;

  private:
    GstFlowReturn push_ready();
    void describe(GstBuffer *output, const ArrayInfo &info, std::uint64_t n);
    void forget_inputs();
    void tell_interruption();

    // Of the inputs since the last output: facts of the first one, number, and end of the last one.
    BufferRef first_;
    std::uint64_t inputs_ = 0;
    GstClockTime end_ = GST_CLOCK_TIME_NONE;
    std::uint64_t produced_ = 0;
    std::deque<BufferRef> each_; // facts of the inputs whose outputs are to come, where there is one for each
};

} // namespace tomo
