// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/array-layout.hpp>
#include <gst/tomo/gsttomometa.h>
#include <gst/tomo/support/error.hpp>

namespace tomo {

ArrayLayout layout_of(GstBuffer *buffer, const ArrayInfo &info) {
    const auto *meta = gst_buffer_get_tomo_array_meta(buffer);
    const std::size_t row = info.width * info.sample_size();
    ArrayLayout layout{0, row, row * info.height, true};
    if (meta)
        layout = {meta->offset, meta->row_stride, meta->plane_stride,
                  meta->row_stride == row && meta->plane_stride == row * info.height};
    gsize planes = 0, rows = 0, needed = 0;
    const bool fits = g_size_checked_mul(&planes, info.depth - 1, layout.plane_stride) &&
                      g_size_checked_mul(&rows, info.height - 1, layout.row_stride) &&
                      g_size_checked_add(&needed, planes, rows) && g_size_checked_add(&needed, needed, row) &&
                      g_size_checked_add(&needed, needed, layout.offset);
    if (!fits)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("a buffer's strides of %zu and %zu bytes are too large for %s", layout.row_stride,
                         layout.plane_stride, info.describe().c_str()));
    const std::size_t size = gst_buffer_get_size(buffer);
    if (size < needed || (!meta && size != needed))
        throw Error(GST_STREAM_ERROR_FORMAT, text("a buffer of %zu bytes came where %s takes %zu", size,
                                                  info.describe().c_str(), needed));
    return layout;
}

} // namespace tomo
