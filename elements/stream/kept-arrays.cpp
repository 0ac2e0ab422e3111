// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kept-arrays.hpp"

#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/support/host-memory.hpp>

#include <algorithm>
#include <utility>

namespace tomo {

void KeptArrays::add(GstBuffer *buffer, const ArrayInfo &info, std::uint64_t most, unsigned per_block) {
    const auto size = info.size();
    if (room_ < size)
        take_block(info, most, per_block);
    char *place = block_.get() + (block_size_ - room_);
    room_ -= size;
    copy_packed(buffer, info, place);
    // A read-only view, which keeps its block.
    auto owner = std::make_unique<std::shared_ptr<char>>(block_);
    BufferRef item(gst_buffer_new());
    gst_buffer_append_memory(
        item.get(),
        gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, place, size, 0, size, owner.release(),
                               [](gpointer o) { delete static_cast<std::shared_ptr<char> *>(o); }));
    copy_frame_metadata(buffer, item.get(), Pixels::same);
    arrays_.push_back({info, std::move(item)});
}

std::vector<KeptArrays::Kept> KeptArrays::take() {
    block_.reset();
    room_ = block_size_ = taken_ = 0;
    return std::exchange(arrays_, {});
}

void KeptArrays::take_block(const ArrayInfo &info, std::uint64_t most, unsigned per_block) {
    const auto size = info.size(), allowed = most ? most : host_memory() / 2;
    const auto count = std::min<std::uint64_t>(per_block, (allowed - std::min(taken_, allowed)) / size);
    block_.reset(count ? static_cast<char *>(g_try_malloc(count * size)) : nullptr, g_free);
    if (!block_)
        throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("no memory for array %zu of %s: %" G_GUINT64_FORMAT
                         " bytes are taken and limit=%" G_GUINT64_FORMAT " allows %" G_GUINT64_FORMAT,
                         arrays_.size() + 1, info.describe().c_str(), taken_, most, allowed));
    room_ = block_size_ = count * size;
    taken_ += block_size_;
}

} // namespace tomo
