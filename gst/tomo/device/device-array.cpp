// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/gsttomomemory.h>
#include <gst/tomo/gsttomometa.h>

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
    const auto *meta = gst_buffer_get_tomo_array_meta(buffer);
    const std::size_t row = info.width * info.sample_size();
    const std::size_t row_stride = meta ? meta->row_stride : row;
    const std::size_t plane_stride = meta ? meta->plane_stride : row * info.height;
    const std::size_t offset = meta ? meta->offset : 0;
    gsize planes = 0, rows = 0, needed = 0;
    const bool fits = g_size_checked_mul(&planes, info.depth - 1, plane_stride) &&
                      g_size_checked_mul(&rows, info.height - 1, row_stride) &&
                      g_size_checked_add(&needed, planes, rows) && g_size_checked_add(&needed, needed, row) &&
                      g_size_checked_add(&needed, needed, offset);
    if (!fits)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("a buffer's strides of %zu and %zu bytes are too large for %s", row_stride,
                         plane_stride, info.describe().c_str()));
    const std::size_t size = gst_buffer_get_size(buffer);
    if (size < needed || (!meta && size != needed))
        throw Error(GST_STREAM_ERROR_FORMAT, text("a buffer of %zu bytes came where %s takes %zu", size,
                                                  info.describe().c_str(), needed));
    const MappedBuffer map(buffer, GST_MAP_READ);
    auto *to = static_cast<char *>(destination);
    const auto *from = reinterpret_cast<const char *>(map.data()) + offset;
    if (row_stride == row && plane_stride == row * info.height) {
        std::memcpy(to, from, info.size());
        return;
    }
    for (unsigned z = 0; z < info.depth; z++)
        for (unsigned y = 0; y < info.height; y++, to += row)
            std::memcpy(to, from + z * plane_stride + y * row_stride, row);
}

} // namespace tomo
