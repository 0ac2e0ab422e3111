// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

namespace tomo {

// The places of an array's rows in a buffer, in bytes.
struct ArrayLayout {
    std::size_t offset, row_stride, plane_stride;
    bool is_packed; // each row follows the one before
};

// Of a buffer that may have a GstTomoArrayMeta. Throws Error if the buffer is smaller than the array, or
// larger although nothing says where the array is.
GST_TOMO_API ArrayLayout layout_of(GstBuffer *buffer, const ArrayInfo &info);

} // namespace tomo
