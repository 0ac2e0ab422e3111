// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Bytes that are compressed as in chunks of HDF5, and come by another way.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <cstddef>

namespace tomo::io {

// Undo the filters 32004 (LZ4) and 32008 (bitshuffle with LZ4, of elements of `element_size` bytes), so that
// exactly `size` bytes stand at `to`. Throw Error if the bytes are damaged, or if the build has no LZ4. Any
// thread may call them.
GST_TOMO_API void decode_lz4(const void *stored, std::size_t stored_size, void *to, std::size_t size);
GST_TOMO_API void decode_bitshuffle_lz4(const void *stored, std::size_t stored_size, std::size_t element_size,
                                        void *to, std::size_t size);

} // namespace tomo::io
