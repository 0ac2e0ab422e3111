// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a pixel takes a value from the two samples around it, and what its kernel is called then. Rounding may
// take a position below zero by 1e-5; conversion to int truncates, so that it still meets the first sample.

#ifdef BACKPROJECT_JOSEPH
#define KERNEL backproject_joseph
#define NARROWING(segment) (segment).narrowing
// The weight of a sample in this distance below the pixel, or above the one before it.
#define WEIGHT_BELOW(distance, narrowing) fmax(1.0f - (distance) * (narrowing), 0.0f)
#define WEIGHT_ABOVE(distance, narrowing) WEIGHT_BELOW(1.0f - (distance), narrowing)
#elif defined(BACKPROJECT_NEAREST)
#define KERNEL backproject_nearest
#define NARROWING(segment) 1.0f
#else
#define KERNEL backproject_linear
#define NARROWING(segment) 1.0f
#define WEIGHT_BELOW(distance, narrowing) (1.0f - (distance))
#define WEIGHT_ABOVE(distance, narrowing) (distance)
#endif

#ifdef BACKPROJECT_NEAREST
#define ACCUMULATE(sum, samples, index, fraction, narrowing) sum += (samples)[index]
#else
#define ACCUMULATE(sum, samples, index, fraction, narrowing)                                                 \
    do {                                                                                                     \
        sum += (samples)[index] * WEIGHT_BELOW(fraction, narrowing);                                         \
        sum += (samples)[(index) + 1] * WEIGHT_ABOVE(fraction, narrowing);                                   \
    } while (0)
#endif
