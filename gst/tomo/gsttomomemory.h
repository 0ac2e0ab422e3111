/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomoarray.h>
#include <gst/tomo/gsttomocontext.h>

G_BEGIN_DECLS

/**
 * GST_TOMO_MEMORY_TYPE:
 *
 * Memory type of #GstTomoMemory, for gst_memory_is_type().
 */
#define GST_TOMO_MEMORY_TYPE "TomoCL"

/**
 * GstTomoMemory:
 *
 * A #GstMemory on an OpenCL device. Mapping it downloads and uploads as needed; elements that compute
 * use the buffer itself. See gst_tomo_memory_get_handle().
 */

#define GST_TYPE_TOMO_ALLOCATOR (gst_tomo_allocator_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoAllocator, gst_tomo_allocator, GST, TOMO_ALLOCATOR, GstAllocator)

GST_TOMO_API GstAllocator *gst_tomo_allocator_new(GstTomoDevice *device);

GST_TOMO_API gboolean gst_tomo_memory_is(GstMemory *memory);
GST_TOMO_API guint64 gst_tomo_memory_get_handle(GstMemory *memory);
GST_TOMO_API GstTomoDevice *gst_tomo_memory_get_device(GstMemory *memory);
GST_TOMO_API void gst_tomo_memory_prefetch(GstMemory *memory);
GST_TOMO_API gboolean gst_tomo_memory_finish(GstMemory *memory, GError **error);

/**
 * GstTomoRelease:
 * @user_data: data of the caller
 *
 * Called once nobody uses an array of the application any more.
 */
typedef void (*GstTomoRelease)(gpointer user_data);

GST_TOMO_API GstSample *gst_tomo_wrap_memory(const GstCaps *caps, guint64 address, gsize row_stride,
                                             gsize plane_stride, gboolean is_writable, GstTomoRelease release,
                                             gpointer user_data, GError **error);

#define GST_TYPE_TOMO_BUFFER_POOL (gst_tomo_buffer_pool_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoBufferPool, gst_tomo_buffer_pool, GST, TOMO_BUFFER_POOL,
                                  GstBufferPool)

GST_TOMO_API GstBufferPool *gst_tomo_buffer_pool_new(GstTomoDevice *device);

G_END_DECLS
