// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/reducer.hpp>

namespace tomo {

GstFlowReturn Reducer::take(GstBuffer *buffer) {
    {
        const Array in = import(buffer, input_info());
        if (!first_) {
            first_ = BufferRef(gst_buffer_new());
            copy_frame_metadata(buffer, first_.get());
        }
        if (gives_one_each()) {
            each_.emplace_back(gst_buffer_new());
            copy_frame_metadata(buffer, each_.back().get());
        }
        inputs_++;
        if (GST_BUFFER_PTS_IS_VALID(buffer)) {
            const auto duration = GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer)
                                                                       : input_info().frame_duration();
            end_ = GST_BUFFER_PTS(buffer) + (GST_CLOCK_TIME_IS_VALID(duration) ? duration : 0);
        }
        consume(in);
    }
    // Many inputs may come before an output is pushed; the device should not wait for it.
    if (needs_device())
        cl_check(clFlush(queue()), "submitting commands");
    return push_ready();
}

GstFlowReturn Reducer::push_ready() {
    if (!ready())
        return GST_FLOW_OK;
    for (std::uint64_t n = 0; ready(); n++) {
        const Array array = produce();
        BufferRef buffer = array.to_buffer();
        describe(buffer.get(), array.info(), n);
        produced_++;
        if (const auto flow = push(array, std::move(buffer)); flow != GST_FLOW_OK)
            return flow;
    }
    forget_inputs();
    return GST_FLOW_OK;
}

void Reducer::forget_inputs() {
    first_ = {};
    inputs_ = 0;
    end_ = GST_CLOCK_TIME_NONE;
}

// Facts and times of the n-th of the outputs that come at once.
void Reducer::describe(GstBuffer *output, const ArrayInfo &info, std::uint64_t n) {
    if (gives_one_each()) {
        if (each_.empty())
            throw Error(
                GST_LIBRARY_ERROR_FAILED,
                text("%s gives more arrays than came, and promises one for each: a mistake in its class",
                     G_OBJECT_TYPE_NAME(gst())));
        copy_frame_metadata(each_.front().get(), output);
        each_.pop_front();
        return;
    }
    // What is known about a single input holds for what is made of it. Of many, the time of the first one is
    // left, and what others have noted about it, such as the camera's clock.
    if (inputs_ == 1)
        copy_frame_metadata(first_.get(), output);
    else
        copy_foreign_metas(first_.get(), output);
    if (n > 0 || !GST_BUFFER_FLAG_IS_SET(first_.get(), GST_BUFFER_FLAG_DISCONT))
        GST_BUFFER_FLAG_UNSET(output, GST_BUFFER_FLAG_DISCONT);
    else
        GST_BUFFER_FLAG_SET(output, GST_BUFFER_FLAG_DISCONT);

    GST_BUFFER_PTS(output) = GST_BUFFER_PTS(first_.get());
    number_output(output, info, n, produced_);
    if (GST_BUFFER_PTS_IS_VALID(output) && !GST_BUFFER_DURATION_IS_VALID(output) &&
        GST_CLOCK_TIME_IS_VALID(end_) && end_ > GST_BUFFER_PTS(output))
        GST_BUFFER_DURATION(output) = end_ - GST_BUFFER_PTS(output);
}

// Outputs that stand for a whole stream look no different where somebody ended it.
void Reducer::tell_interruption() {
    if (gives_one_each() || !ready())
        return;
    const ObjectRef<GstPad> sink(gst_element_get_static_pad(gst(), "sink"));
    if (const auto interruption = interruption_of(sink.get()))
        warn(text("the stream was ended early: %s, and the result is made of these alone",
                  interruption->in_words().c_str()));
}

GstFlowReturn Reducer::drain() {
    if (!first_ && each_.empty()) // nothing came since the last output
        return GST_FLOW_OK;
    auto flow = GST_FLOW_OK;
    if (const auto left = unfinished_set(); left > 0 && input_may_end_anywhere()) {
        warn(incomplete_set_text(left));
    } else {
        finish();
        tell_interruption();
        flow = push_ready();
    }
    clear();
    forget_inputs();
    each_.clear();
    return flow;
}

void Reducer::reset() {
    Transform::reset();
    forget_inputs();
    each_.clear();
    produced_ = 0;
}

} // namespace tomo
