/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

G_BEGIN_DECLS

/**
 * GST_TOMO_ARRAY_MEDIA_TYPE:
 *
 * Media type of every stream between elements of gst-tomo.
 */
#define GST_TOMO_ARRAY_MEDIA_TYPE "application/x-tomo-array"

/**
 * GST_TOMO_CAPS_FEATURE_MEMORY:
 *
 * Caps feature of buffers that hold a #GstTomoMemory. The feature is a
 * promise about speed, not about layout: such buffers can be mapped like any
 * other.
 */
#define GST_TOMO_CAPS_FEATURE_MEMORY "memory:TomoCL"

/**
 * GstTomoFormat:
 * @GST_TOMO_FORMAT_UNKNOWN: not known
 * @GST_TOMO_FORMAT_UINT8: unsigned 8 bit integer
 * @GST_TOMO_FORMAT_UINT16: unsigned 16 bit integer
 * @GST_TOMO_FORMAT_UINT32: unsigned 32 bit integer
 * @GST_TOMO_FORMAT_INT16: signed 16 bit integer
 * @GST_TOMO_FORMAT_INT32: signed 32 bit integer
 * @GST_TOMO_FORMAT_FLOAT16: IEEE 754 binary16
 * @GST_TOMO_FORMAT_FLOAT32: IEEE 754 binary32
 * @GST_TOMO_FORMAT_FLOAT64: IEEE 754 binary64
 * @GST_TOMO_FORMAT_COMPLEX64: real and imaginary part as binary32, interleaved
 *
 * Type of one sample, in the byte order of the host.
 */
typedef enum {
    GST_TOMO_FORMAT_UNKNOWN,
    GST_TOMO_FORMAT_UINT8,
    GST_TOMO_FORMAT_UINT16,
    GST_TOMO_FORMAT_UINT32,
    GST_TOMO_FORMAT_INT16,
    GST_TOMO_FORMAT_INT32,
    GST_TOMO_FORMAT_FLOAT16,
    GST_TOMO_FORMAT_FLOAT32,
    GST_TOMO_FORMAT_FLOAT64,
    GST_TOMO_FORMAT_COMPLEX64,
} GstTomoFormat;

/**
 * GstTomoDomain:
 * @GST_TOMO_DOMAIN_UNKNOWN: not stated
 * @GST_TOMO_DOMAIN_PROJECTION: x is the detector column, y the detector row
 * @GST_TOMO_DOMAIN_SINOGRAM: x is the detector column, y the angle index
 * @GST_TOMO_DOMAIN_SLICE: a reconstructed plane
 * @GST_TOMO_DOMAIN_VOLUME: reconstructed planes along depth
 * @GST_TOMO_DOMAIN_SPECTRUM: Fourier coefficients
 *
 * Meaning of the axes of an array.
 */
typedef enum {
    GST_TOMO_DOMAIN_UNKNOWN,
    GST_TOMO_DOMAIN_PROJECTION,
    GST_TOMO_DOMAIN_SINOGRAM,
    GST_TOMO_DOMAIN_SLICE,
    GST_TOMO_DOMAIN_VOLUME,
    GST_TOMO_DOMAIN_SPECTRUM,
} GstTomoDomain;

GST_TOMO_API GType gst_tomo_format_get_type(void);
#define GST_TYPE_TOMO_FORMAT (gst_tomo_format_get_type())
GST_TOMO_API GType gst_tomo_domain_get_type(void);
#define GST_TYPE_TOMO_DOMAIN (gst_tomo_domain_get_type())

GST_TOMO_API const gchar *gst_tomo_format_to_string(GstTomoFormat format);
GST_TOMO_API GstTomoFormat gst_tomo_format_from_string(const gchar *name);
GST_TOMO_API gsize gst_tomo_format_get_size(GstTomoFormat format);

typedef struct _GstTomoArrayInfo GstTomoArrayInfo;

/**
 * GstTomoArrayInfo:
 * @format: type of a sample
 * @width: samples per row, x, fastest in memory
 * @height: rows per plane, y
 * @depth: planes, 1 for an image
 * @fps_n: numerator of the frame rate, 0 when there is no rate
 * @fps_d: denominator of the frame rate
 * @domain: meaning of the axes
 *
 * Shape and type of the arrays of a stream; the counterpart of #GstVideoInfo.
 * Arrays are packed: no padding between rows or planes unless a
 * #GstTomoArrayMeta says so.
 */
struct _GstTomoArrayInfo {
    GstTomoFormat format;
    guint width;
    guint height;
    guint depth;
    gint fps_n;
    gint fps_d;
    GstTomoDomain domain;

    /*< private >*/
    gpointer _gst_reserved[GST_PADDING];
};

GST_TOMO_API GType gst_tomo_array_info_get_type(void);
#define GST_TYPE_TOMO_ARRAY_INFO (gst_tomo_array_info_get_type())

GST_TOMO_API GstTomoArrayInfo *gst_tomo_array_info_new(GstTomoFormat format, guint width, guint height,
                                                       guint depth);
GST_TOMO_API GstTomoArrayInfo *gst_tomo_array_info_copy(const GstTomoArrayInfo *info);
GST_TOMO_API void gst_tomo_array_info_free(GstTomoArrayInfo *info);
GST_TOMO_API GstTomoArrayInfo *gst_tomo_array_info_new_from_caps(const GstCaps *caps, GError **error);
GST_TOMO_API GstCaps *gst_tomo_array_info_to_caps(const GstTomoArrayInfo *info, gboolean device_memory);
GST_TOMO_API guint64 gst_tomo_array_info_get_size(const GstTomoArrayInfo *info);
GST_TOMO_API gboolean gst_tomo_array_info_is_equal(const GstTomoArrayInfo *a, const GstTomoArrayInfo *b);

G_END_DECLS
