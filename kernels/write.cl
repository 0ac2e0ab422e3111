// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Unsigned integers of values: offset becomes 0, and one integer stands for 1 / scale. NaN becomes 0 and is counted
// in `missing`, whose second number is its upper half: a volume has more samples than 32 bits count. The same
// arithmetic as on the host, so that both give the same integers.

#ifdef cl_khr_fp64
#define TO_INTEGERS(name, type, top)                                                                         \
    kernel void name(IN(in), OUT(type, out), OUT(uint, missing), const double offset, const double scale) {  \
        const ulong i = get_global_id(0);                                                                    \
        const double value = (LOAD_REAL(in, i) - offset) * scale;                                            \
        AT(out, i) = value >= 0.0 ? (type)(fmin(value, (double)top) + 0.5) : (type)0;                         \
        if (isnan(value) && atomic_inc(&AT(missing, 0)) == UINT_MAX)                                         \
            atomic_inc(&AT(missing, 1));                                                                     \
    }

TO_INTEGERS(to_uint8, uchar, 255)
TO_INTEGERS(to_uint16, ushort, 65535)
#endif
