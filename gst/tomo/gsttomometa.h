/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomoarray.h>

G_BEGIN_DECLS

typedef struct _GstTomoFrameMeta GstTomoFrameMeta;
typedef struct _GstTomoArrayMeta GstTomoArrayMeta;

/**
 * GstTomoFrameMeta:
 * @meta: parent
 * @index: number of the frame in its scan, from 0
 * @angle: rotation angle in radians, NaN when unknown
 * @time: time of exposure in nanoseconds since the epoch, %GST_CLOCK_TIME_NONE when unknown
 * @source: (nullable): origin of the frame, for instance the name of a file
 *
 * Facts about one frame. Every element keeps them or deliberately changes them.
 */
struct _GstTomoFrameMeta {
    GstMeta meta;

    guint64 index;
    gdouble angle;
    GstClockTime time;
    gchar *source;
};

GST_TOMO_API GType gst_tomo_frame_meta_api_get_type(void);
#define GST_TOMO_FRAME_META_API_TYPE (gst_tomo_frame_meta_api_get_type())
GST_TOMO_API const GstMetaInfo *gst_tomo_frame_meta_get_info(void);
GST_TOMO_API GstTomoFrameMeta *gst_buffer_add_tomo_frame_meta(GstBuffer *buffer, guint64 index, gdouble angle,
                                                              GstClockTime time, const gchar *source);
GST_TOMO_API GstTomoFrameMeta *gst_buffer_get_tomo_frame_meta(GstBuffer *buffer);

/**
 * GstTomoArrayMeta:
 * @meta: parent
 * @offset: bytes from the start of the buffer to the first sample
 * @row_stride: bytes from one row to the next
 * @plane_stride: bytes from one plane to the next
 * @x: column of the first sample in the whole array, if this array is a part of one
 * @y: row of the first sample there
 * @z: plane of the first sample there
 *
 * Layout of an array that is not packed, and the region that it covers. Elements that ignore strides take
 * such buffers as well: the library packs them on the way in.
 */
struct _GstTomoArrayMeta {
    GstMeta meta;

    gsize offset;
    gsize row_stride;
    gsize plane_stride;
    guint x;
    guint y;
    guint z;
};

GST_TOMO_API GType gst_tomo_array_meta_api_get_type(void);
#define GST_TOMO_ARRAY_META_API_TYPE (gst_tomo_array_meta_api_get_type())
GST_TOMO_API const GstMetaInfo *gst_tomo_array_meta_get_info(void);
GST_TOMO_API GstTomoArrayMeta *gst_buffer_add_tomo_array_meta(GstBuffer *buffer, gsize offset,
                                                              gsize row_stride, gsize plane_stride);
GST_TOMO_API GstTomoArrayMeta *gst_buffer_get_tomo_array_meta(GstBuffer *buffer);

/**
 * GST_TOMO_SCAN_EVENT:
 *
 * Name of the sticky event that describes a scan. Its structure has the fields angles, axis-position and
 * pixel-size of gst_event_new_tomo_scan(), and, where they are known, as doubles: energy in keV, distance
 * from the sample to the detector in metres, source-distance from a point source to the sample (the beam is
 * parallel without), frames, an array of the numbers of the projections among all
 * frames of the scan in the order of time, flats-frame and flats-after-frame, the mean of these numbers of
 * the flats before and after, and flat-set-frames, an array of them, where the flats before come as the means
 * of several sets; beam, an array of the intensity of the beam in each projection, flats-beam, an array of
 * its mean in the flats before or in each of their sets, and flats-after-beam; shifts-x and shifts-y, arrays
 * of the detector pixels by which each projection is displaced to larger columns and to larger rows;
 * total-projections, the number of projections of the whole scan, and, where there are no angles,
 * projection-numbers, an array of the number of each view among these, from 0. An array that is a part of the
 * detector's images, or binned, has region-x and region-y (else 0), binning-x and binning-y (else 1): an edge
 * at e in the array is at region + e * binning in the images of the scan, in pixels; NaN behind an element
 * that keeps no such relation.
 */
#define GST_TOMO_SCAN_EVENT "tomo-scan"

GST_TOMO_API GstEvent *gst_event_new_tomo_scan(const gdouble *angles, guint n_angles, gdouble axis_position,
                                               gdouble pixel_size);
GST_TOMO_API gboolean gst_event_is_tomo_scan(GstEvent *event);
GST_TOMO_API gdouble *gst_event_parse_tomo_scan(GstEvent *event, guint *n_angles, gdouble *axis_position,
                                                gdouble *pixel_size);

G_END_DECLS
