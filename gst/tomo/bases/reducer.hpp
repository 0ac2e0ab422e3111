// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/transform.hpp>

namespace tomo {

// Many arrays in, some arrays out: after any of them, or at the end of the stream.
//
// consume() must not keep its input: the element copies the data that it needs later to memory of its own, so
// that the pools of other elements never run dry.
//
// Outputs take over the time of their inputs. If an output's shape has a frame rate, several outputs of the
// same inputs follow each other at that rate from the first input's time on; otherwise each has the whole
// span.
class GST_TOMO_API Reducer : public Transform {
  public:
    // New input; throws Error on one that can't be processed. The base has drained earlier arrays.
    void begin(const ArrayInfo &in) override = 0;
    virtual void consume(const Array &in) = 0;
    // The end of the stream or of its shape; the base then asks ready() for the remaining outputs. Throws
    // Error on missing arrays. Not called if no array came since the last output.
    virtual void finish() {}
    // Number of arrays in an incomplete set of fixed size; 0 for elements without such sets. If a live or
    // interrupted stream ends there, the base leaves these arrays out, with a warning that counts them, and
    // does not call finish().
    virtual unsigned unfinished_set() const { return 0; }
    // ready() tells whether produce() has another output.
    virtual bool ready() const = 0;
    virtual Array produce() = 0;
    // Discards everything that came.
    void clear() override = 0;

    std::optional<std::uint64_t> output_count(std::uint64_t, const ArrayInfo &) const override { return {}; }

  protected:
    // Whether there is one output for each input, made of that input and its neighbours. Each output then
    // takes over the facts of its input; more outputs than inputs are an error.
    virtual bool gives_one_each() const { return false; }

    GstFlowReturn take(GstBuffer *buffer) override;
    GstFlowReturn drain() override;
    void reset() override;

  private:
    GstFlowReturn push_ready();
    void describe(GstBuffer *output, const ArrayInfo &info, std::uint64_t n);
    void forget_inputs();
    void tell_interruption();

    // About the inputs since the last output: facts of the first one, their number, end of the last one.
    BufferRef first_;
    std::uint64_t inputs_ = 0;
    GstClockTime end_ = GST_CLOCK_TIME_NONE;
    std::uint64_t produced_ = 0;
    std::deque<BufferRef> each_; // facts of the inputs whose outputs are still to come, for gives_one_each()
};

} // namespace tomo
