// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Kernels of complex samples for tomoopencl, with the names and arguments of UFO's. The global size counts complex
// samples.

#define SAMPLE ((get_global_id(2) * get_global_size(1) + get_global_id(1)) * get_global_size(0) + get_global_id(0))
#define GET(array) vload2(SAMPLE, array)
#define PUT(value) vstore2(value, SAMPLE, out)

kernel void c_add(global const float *in1, global const float *in2, global float *out) { PUT(GET(in1) + GET(in2)); }

kernel void c_mul(global const float *in1, global const float *in2, global float *out) {
    const float2 a = GET(in1), b = GET(in2);
    PUT((float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x));
}

kernel void c_div(global const float *in1, global const float *in2, global float *out) {
    const float2 a = GET(in1), b = GET(in2);
    PUT((float2)(a.x * b.x + a.y * b.y, a.y * b.x - a.x * b.y) / dot(b, b));
}

kernel void c_conj(global const float *data, global float *out) { PUT(GET(data) * (float2)(1.0f, -1.0f)); }

// Real, but in complex samples.
kernel void c_abs_squared(global const float *data, global float *out) {
    const float2 v = GET(data);
    PUT((float2)(dot(v, v), 0.0f));
}
