// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Samples of slices' spectra on lines through their middle, and how they lie on the grid. A sample of all PAIRS of slices is one run of memory, with that of -k behind that of k.

// A view in the order of directions: tomo::FourierDirection of the host.
typedef struct {
    long step_u, step_v; // points of the grid from k to k + 1, 40 bits behind the point
    float angle;         // modulo pi
    float cosine, sine;
    uint view;
} Direction;

// Of view p at k, -k.
#define SAMPLE(p, k) (((p) * (length / 2 + 1) + (k)) * 2)

#define VALUE TOMO_JOIN(float, LANES)

// Abramowitz and Stegun, Handbook of Mathematical Functions, 9.8.1 and 9.8.2.
static float bessel_i0(const float x) {
    if (x < 3.75f) {
        const float t = x * x / (3.75f * 3.75f);
        return 1.0f + t * (3.5156229f + t * (3.0899424f + t * (1.2067492f + t * (0.2659732f + t * (0.0360768f + t * 0.0045813f)))));
    }
    const float t = 3.75f / x;
    return exp(x) / sqrt(x) *
           (0.39894228f +
            t * (0.01328592f +
                 t * (0.00225319f +
                      t * (-0.00157565f +
                           t * (0.00916281f + t * (-0.02057706f + t * (0.02635537f + t * (-0.01647633f + t * 0.00392377f))))))));
}

// Of a sample at this distance from a point, in either direction; `factor` is 1 / I0(beta).
static float spread(const float distance, const float width, const float beta, const float factor) {
    const float t = distance * 2.0f / width, rest = 1.0f - t * t;
    return rest > 0.0f ? bessel_i0(beta * sqrt(rest)) * factor : 0.0f;
}
