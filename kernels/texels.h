// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Four samples in one load, of floats or, with PROJECTION_IS_HALF, of halves.

#ifdef PROJECTION_IS_HALF
typedef uint2 Texel4;

#ifdef cl_nv_pragma_unroll // NVIDIA's compiler, which knows its PTX
// It loads halves one by one, otherwise.
static float2 floats_of_pair(const uint pair) {
    float2 value;
    asm("{ .reg .b16 low, high; mov.b32 {low, high}, %2; cvt.f32.f16 %0, low; cvt.f32.f16 %1, high; }"
        : "=f"(value.x), "=f"(value.y)
        : "r"(pair));
    return value;
}

static float4 floats_of(const Texel4 texel) { return (float4)(floats_of_pair(texel.x), floats_of_pair(texel.y)); }
#else
static float4 floats_of(const Texel4 texel) {
    const Texel4 copy = texel;
    return vload_half4(0, (const half *)&copy);
}
#endif
#else
typedef float4 Texel4;

static float4 floats_of(const Texel4 texel) { return texel; }
#endif
