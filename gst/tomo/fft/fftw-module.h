/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interface between the library and the module that holds FFTW. FFTW is GPL, so it is linked into that module
 * alone.
 */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GST_TOMO_FFTW_MODULE_VERSION 1
#define GST_TOMO_FFTW_MODULE_SYMBOL "gst_tomo_fftw_module"

typedef struct _GstTomoFftwPlan GstTomoFftwPlan;

typedef struct {
    int version; /* GST_TOMO_FFTW_MODULE_VERSION */

    /* Sizes are above 1, x first. Null where memory or FFTW fails. Any thread. */
    GstTomoFftwPlan *(*plan_new)(unsigned dimensions, const size_t *size, size_t batch, unsigned threads);
    void (*plan_free)(GstTomoFftwPlan *plan);

    /* Interleaved complex samples; `in` and `out` are the same or do not overlap, and need no alignment above
     * that of a float. The inverse is scaled by 1 / N. Any thread; those that run one plan take turns. */
    void (*plan_run)(GstTomoFftwPlan *plan, int inverse, const float *in, float *out);
} GstTomoFftwModule;

typedef const GstTomoFftwModule *(*GstTomoFftwModuleFunction)(void);

#ifdef __cplusplus
}
#endif
