// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/filter.hpp>
#include <gst/tomo/negotiation.hpp>

namespace tomo {

void Filter::process(const Array &, Array &) {
    throw Error(GST_CORE_ERROR_NOT_IMPLEMENTED, text("%s neither processes nor applies", info().task));
}

Array Filter::apply(const Array &in) {
    Array out = allocate(out_);
    process(in, out);
    return out;
}

void Filter::input_changed() {
    if (needs_device())
        input_format("in", input_info().format);
    out_ = shape(input_info());
    negotiate(out_);
}

GstFlowReturn Filter::take(GstBuffer *buffer) {
    const Array in = import(buffer, input_info());
    if (GST_BUFFER_OFFSET_IS_VALID(buffer))
        frame_index_ = GST_BUFFER_OFFSET(buffer);
    const Array out = apply(in);
    BufferRef result = out.to_buffer();
    copy_frame_metadata(buffer, result.get());
    frame_index_++;
    return push(out, std::move(result));
}

} // namespace tomo
