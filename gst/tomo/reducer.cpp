// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/reducer.hpp>

#include <cmath>

namespace tomo {

void Reducer::input_changed() {
    if (needs_device())
        input_format("in", input_info().format);
    begin(input_info());
}

GstFlowReturn Reducer::take(GstBuffer *buffer) {
    if (!first_) {
        first_ = BufferRef(gst_buffer_new());
        gst_buffer_copy_into(first_.get(), buffer, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
    }
    if (GST_BUFFER_PTS_IS_VALID(buffer) && GST_BUFFER_DURATION_IS_VALID(buffer))
        end_ = GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer);
    consume(import(buffer, input_info()));
    return push_ready();
}

GstFlowReturn Reducer::push_ready() {
    while (ready()) {
        const Array array = produce();
        BufferRef buffer = array.to_buffer();
        // Made of many frames: the time of the first, up to the end of the last.
        if (first_) {
            GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_PTS(first_.get());
            if (GST_BUFFER_PTS_IS_VALID(buffer.get()) && GST_CLOCK_TIME_IS_VALID(end_))
                GST_BUFFER_DURATION(buffer.get()) = end_ - GST_BUFFER_PTS(buffer.get());
        }
        GST_BUFFER_OFFSET(buffer.get()) = produced_;
        GST_BUFFER_OFFSET_END(buffer.get()) = produced_ + 1;
        gst_buffer_add_tomo_frame_meta(buffer.get(), produced_, std::nan(""), GST_CLOCK_TIME_NONE, nullptr);
        produced_++;
        const bool last = !ready();
        if (const auto flow = push(array, std::move(buffer)); flow != GST_FLOW_OK)
            return flow;
        if (last) {
            first_ = {};
            end_ = GST_CLOCK_TIME_NONE;
        }
    }
    return GST_FLOW_OK;
}

GstFlowReturn Reducer::drain() {
    if (!first_) // nothing came since the last output
        return GST_FLOW_OK;
    finish();
    const auto flow = push_ready();
    clear();
    first_ = {};
    return flow;
}

void Reducer::reset() {
    clear();
    first_ = {};
    end_ = GST_CLOCK_TIME_NONE;
    produced_ = 0;
}

} // namespace tomo
