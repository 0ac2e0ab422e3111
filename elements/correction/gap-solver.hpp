// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gap-levels.hpp"

#include <gst/tomo/compute/compute.hpp>

namespace tomo {

// Fills gaps of images, on the device. The equations are solved by conjugate gradients, whose preconditioner
// is a cycle over the levels (Braess, Computing 55, 379 (1995), doi 10.1007/BF02238488). The number of steps
// that the first solution takes is that of all, so that nobody waits for the others.
class GapSolver {
  public:
    // `gaps` has at least one level.
    GapSolver(Compute &compute, const GapLevels &gaps);

    // Each of so many parts of the images has the gaps of `marks`. What the pixels in the gaps were does not
    // count.
    void fill(Array &images, const Array &marks, unsigned planes);

  private:
    struct Level {
        cl_uint rows;
        Array diagonal, links, weights, parents, children;
    };

    static constexpr unsigned group = 64;

    cl_uint rows() const { return levels_.front().rows; }
    Array vector(cl_uint rows, unsigned planes) const;
    static WorkSize each_row(cl_uint rows, unsigned planes);
    // For kernels that sum over the rows of each plane: a part from each of their groups.
    WorkSize share(unsigned planes) const;
    Array parts(unsigned planes) const;
    Kernel kernel(const char *name) const;

    void count_steps();
    Array solve(Array right);
    // An approximate solution for this right-hand side.
    Array cycle(const Array &right, std::size_t level = 0);
    void multiply(const Array &a, const Array &b, Array &state, unsigned kind);
    void conclude(const Array &parts, Array &state, unsigned kind);
    bool is_small(const Array &state) const;

    Compute &compute_;
    std::vector<Level> levels_;
    Array positions_;
    Array counts_;       // of pixels beside the gaps, in parts
    unsigned steps_ = 0; // 0: not known yet
};

} // namespace tomo
