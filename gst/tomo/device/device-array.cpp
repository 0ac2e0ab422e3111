// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/array-layout.hpp>
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/gsttomomemory.h>

#include <cstring>

namespace tomo {

BufferRef Array::to_buffer() const {
    // Others see the same samples, if only by the buffer that an import keeps: who wants to write copies them
    // first.
    const bool is_shared = storage_->weak_from_this().use_count() > 1;
    GstMemory *memory = new_memory(storage_);
    if (byte_offset_ != 0 || info_.size() != storage_->size())
        gst_memory_resize(memory, byte_offset_, info_.size());
    if (is_shared)
        GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_READONLY);
    BufferRef buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), memory);
    return buffer;
}

MappedBuffer::MappedBuffer(GstBuffer *buffer, GstMapFlags flags) : buffer_(buffer), map_{} {
    take_map_error();
    if (gst_buffer_map(buffer, &map_, flags))
        return;
    const std::string reason = take_map_error();
    throw Error(GST_RESOURCE_ERROR_FAILED, "can't map a buffer" + (reason.empty() ? reason : ": " + reason));
}

MappedBuffer::~MappedBuffer() { gst_buffer_unmap(buffer_, &map_); }

void copy_packed(GstBuffer *buffer, const ArrayInfo &info, void *destination) {
    const auto layout = layout_of(buffer, info);
    const std::size_t row = info.width * info.sample_size();
    const MappedBuffer map(buffer, GST_MAP_READ);
    auto *to = static_cast<char *>(destination);
    const auto *from = reinterpret_cast<const char *>(map.data()) + layout.offset;
    if (layout.is_packed) {
        std::memcpy(to, from, info.size());
        return;
    }
    for (unsigned z = 0; z < info.depth; z++)
        for (unsigned y = 0; y < info.height; y++, to += row)
            std::memcpy(to, from + z * layout.plane_stride + y * layout.row_stride, row);
}

} // namespace tomo
