// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ring-list.hpp"

#include <gst/tomo/bases/negotiation.hpp>

#include <cmath>

namespace tomo {

namespace {

constexpr unsigned per_ring = 5;
constexpr std::size_t most_rings = 2000; // to compare with all pairs of others
static_assert(sizeof(Ring) == per_ring * sizeof(float));

} // namespace

double Ring::distance(const Ring &other) const {
    return std::hypot(double(x) - other.x, double(y) - other.y);
}

void check_ring_list(const ArrayInfo &info) {
    if (info.format != GST_TOMO_FORMAT_FLOAT32 || info.height != 1 || info.depth != 1 ||
        info.width % per_ring != 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s is no list of rings; wanted one row of a count and %u floats per ring",
                         info.describe().c_str(), per_ring));
}

std::vector<Ring> rings_of(const float *list, const ArrayInfo &info, std::uint64_t number) {
    const unsigned room = (info.width - 1) / per_ring;
    if (!(list[0] >= 0.0f && list[0] <= static_cast<float>(room)) || list[0] != std::floor(list[0]))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("list %" G_GUINT64_FORMAT " says that it has %g rings; wanted 0 to %u", number,
                         list[0], room));
    std::vector<Ring> rings(static_cast<std::size_t>(list[0]));
    if (!rings.empty())
        std::memcpy(rings.data(), list + 1, rings.size() * sizeof(Ring));
    return rings;
}

std::vector<Ring> rings_of(GstBuffer *buffer, const ArrayInfo &info, std::uint64_t number) {
    std::vector<float> list(info.width);
    copy_packed(buffer, info, list.data());
    return rings_of(list.data(), info, number);
}

ArrayInfo list_info(const std::vector<Ring> &rings, const ArrayInfo &in) {
    return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, 1 + per_ring * std::uint64_t{rings.size()}, 1)
        .with_rate(in.fps_n, in.fps_d);
}

BufferRef list_of(const std::vector<Ring> &rings) {
    const std::size_t size = sizeof(float) + rings.size() * sizeof(Ring);
    BufferRef buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
    const MappedBuffer map(buffer.get(), GST_MAP_WRITE);
    const float count = static_cast<float>(rings.size());
    std::memcpy(map.data(), &count, sizeof count);
    if (!rings.empty())
        std::memcpy(map.data() + sizeof count, rings.data(), rings.size() * sizeof(Ring));
    return buffer;
}

GstFlowReturn RingFilter::take(GstBuffer *buffer) {
    const auto rings = filter(rings_of(buffer, input_info(), lists_++));
    auto list = list_of(rings);
    copy_frame_metadata(buffer, list.get());
    return push_submitted(list_info(rings, input_info()), std::move(list));
}

void RingFilter::check_number(const std::vector<Ring> &rings) {
    if (rings.size() > most_rings)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("a list has %zu rings; wanted up to %zu: raise threshold of tomofilterparticle",
                         rings.size(), most_rings));
}

} // namespace tomo
