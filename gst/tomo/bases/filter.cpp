// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/negotiation.hpp>

#include <algorithm>

namespace tomo {

void Filter::process(const Array &, Array &) {
    throw Error(GST_CORE_ERROR_NOT_IMPLEMENTED, text("%s neither processes nor applies", info().task));
}

Array Filter::apply(const Array &in) {
    Array out = allocate(out_);
    process(in, out);
    return out;
}

void Filter::begin(const ArrayInfo &in) {
    out_ = shape(in);
    negotiate(out_);
}

void Filter::reset() {
    frame_index_ = 0;
    Transform::reset();
}

GstFlowReturn Filter::take(GstBuffer *buffer) {
    const Array in = import(buffer, input_info());
    if (GST_BUFFER_OFFSET_IS_VALID(buffer))
        frame_index_ = GST_BUFFER_OFFSET(buffer);
    const Array out = apply(in);
    BufferRef result = out.to_buffer();
    const bool is_handed_on = out.storage().get() == in.storage().get() && out.info() == in.info();
    copy_frame_metadata(buffer, result.get(), is_handed_on ? Pixels::same : Pixels::moved);
    frame_index_++;
    return push(out, std::move(result));
}

// One kernel
// --------------------------------------------------------------------------------------------------

std::string PointFilter::kernel_name() const {
    std::string name = info().task;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

void PointFilter::begin(const ArrayInfo &in) {
    if (only_moves())
        input_size("in", in.sample_size());
    Filter::begin(in);
    kernel(kernel_name(), kernel_options());
}

void PointFilter::process(const Array &in, Array &out) {
    Launch launch(*this, kernel(kernel_name(), kernel_options()));
    launch.add(in);
    launch.add(out);
    add_arguments(launch, in);
    launch.run(work_size(out.info()));
}

// Several arrays at once
// --------------------------------------------------------------------------------------

void BatchFilter::begin(const ArrayInfo &in) {
    batch_size_ = choose_batch_size();
    Filter::begin(in);
}

unsigned BatchFilter::choose_batch_size() {
    if (batch)
        return batch;
    if (!input_flows_by_itself())
        return 1;
    std::uint64_t size = batch_that_pays(input_info());
    // Inputs, outputs and what lies between, several times over: other elements want memory, too.
    constexpr unsigned share = 16;
    size = std::min<std::uint64_t>(size, device()->memory_limit() / share / input_info().size());
    if (const auto frames = input_count())
        size = std::min(size, *frames);
    return static_cast<unsigned>(std::max<std::uint64_t>(size, 1));
}

GstFlowReturn BatchFilter::take(GstBuffer *buffer) {
    // Properties that follow the time are those of each frame.
    const bool alone = batch_size_ == 1 || gst_object_has_active_control_bindings(GST_OBJECT(gst()));
    if (alone) {
        if (const auto flow = release(); flow != GST_FLOW_OK)
            return flow;
        return Filter::take(buffer);
    }
    // The array keeps the buffer where it is that buffer's memory; others go back to their pool, which may be
    // small.
    const auto next = held_.empty() ? frame_index() : held_.back().index + 1;
    const auto index = GST_BUFFER_OFFSET_IS_VALID(buffer) ? GST_BUFFER_OFFSET(buffer) : next;
    // process() counts from the first array's number on.
    if (index != next)
        if (const auto flow = release(); flow != GST_FLOW_OK)
            return flow;
    BufferRef facts(gst_buffer_new());
    copy_frame_metadata(buffer, facts.get());
    held_.push_back({index, import(buffer, input_info()), std::move(facts)});
    return held_.size() < batch_size_ ? GST_FLOW_OK : release();
}

// What is held, as one array: where it lies, if that is one behind another, as batches upstream leave it.
Array BatchFilter::gather(const std::vector<Held> &held) {
    const Array &first = held.front().array;
    const std::size_t size = first.info().size();
    const auto whole = first.info().with_size(first.width(), first.height(), first.depth() * held.size());
    bool in_order = true;
    for (std::size_t i = 1; i < held.size(); i++)
        in_order &= held[i].array.storage().get() == first.storage().get() &&
                    held[i].array.byte_offset() == first.byte_offset() + i * size;
    if (in_order)
        return first.as(whole);
    Array all = allocate(whole);
    for (std::size_t i = 0; i < held.size(); i++)
        copy_rows(held[i].array, {}, all, {i * size, size}, size);
    return all;
}

GstFlowReturn BatchFilter::release() {
    const auto held = std::exchange(held_, {});
    // A sink may say only now that it has their results, and the others of the group were left out: fewer may
    // have other bits.
    if (held.empty() || held.back().is_numbered_before(first_wanted()))
        return GST_FLOW_OK;
    const ArrayInfo one = output_info();
    std::vector<BufferRef> results;
    {
        Array out = allocate(one.with_size(one.width, one.height, one.depth * held.size()));
        set_frame_index(held.front().index);
        process(gather(held), out);
        for (std::size_t i = 0; i < held.size(); i++) {
            const Array part(one, out.storage(), out.byte_offset() + i * one.size());
            results.push_back(part.to_buffer());
            copy_frame_metadata(held[i].facts.get(), results.back().get());
        }
        set_frame_index(held.back().index + 1);
        negotiate(one);
        submit(out);
    }
    for (auto &result : results)
        if (const auto flow = push_submitted(one, std::move(result)); flow != GST_FLOW_OK)
            return flow;
    return GST_FLOW_OK;
}

void BatchFilter::reset() {
    held_.clear();
    Filter::reset();
}

} // namespace tomo
