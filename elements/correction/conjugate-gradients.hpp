// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <functional>

namespace tomo {

// Solves systems with one symmetric, positive definite matrix for several right-hand sides at once, by
// preconditioned conjugate gradients on the device (Hestenes, Stiefel, J. Res. Natl. Bur. Stand. 49, 409
// (1952)). Vectors have a value for each row, those of the next right-hand side behind. Kernels are in
// kernels/conjugate-gradients.cl.
class ConjugateGradients {
  public:
    // `apply` computes the image of a direction, and the parts of their product: a tomo_sum from each group
    // of share().
    using Apply = std::function<void(const Array &direction, Array &image, Array &parts)>;
    using Precondition = std::function<Array(const Array &residual)>;

    ConjugateGradients(Compute &compute, cl_uint rows, Apply apply, Precondition precondition);

    // The solution after this many steps.
    Array solve(Array right, unsigned steps);
    // Steps until the error is this share of what it was, in the norm of energy; looks every n steps, for
    // which the host waits. At most `most`.
    struct Until {
        float tolerance;
        unsigned every, most;
    };
    Array solve(Array right, const Until &until, unsigned &steps);

    static constexpr unsigned group = 64;
    static Array vector(Compute &compute, cl_uint rows, unsigned count);
    static WorkSize each_row(cl_uint rows, unsigned count) { return WorkSize(rows, count).groups(group); }
    // For kernels that sum over the rows: a part from each of their groups.
    static WorkSize share(Compute &compute, cl_uint rows, unsigned count);
    static Array parts(Compute &compute, cl_uint rows, unsigned count);
    // The options of such kernels.
    static std::string options(Compute &compute);

  private:
    struct State {
        Array numbers, solution, image, residual, direction;
    };

    Kernel kernel(const char *name);
    State begin(Array right);
    void step(State &state);
    void multiply(const Array &a, const Array &b, Array &numbers, unsigned kind);
    void conclude(const Array &parts, Array &numbers, unsigned kind);
    static bool is_small(const Array &numbers, float tolerance);

    Compute &compute_;
    const cl_uint rows_;
    const Apply apply_;
    const Precondition precondition_;
};

} // namespace tomo
