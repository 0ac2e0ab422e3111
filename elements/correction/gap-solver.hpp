// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "conjugate-gradients.hpp"
#include "gap-levels.hpp"

namespace tomo {

// Fills gaps of images, on the device. The equations are solved by conjugate gradients, whose preconditioner
// is a cycle over the levels (Braess, Computing 55, 379 (1995), doi 10.1007/BF02238488). The number of steps
// is counted once, so that nobody waits for the device afterwards.
class GapSolver {
  public:
    struct Level {
        cl_uint rows;
        Array diagonal, links, weights, parents, children;
    };

    // `gaps` has at least one level.
    GapSolver(Compute &compute, const GapLevels &gaps);
    GapSolver(const GapSolver &) = delete;
    GapSolver &operator=(const GapSolver &) = delete;

    // Each of so many parts of the images has the gaps of `marks`. What the pixels in the gaps were does not
    // count.
    void fill(Array &images, const Array &marks, unsigned planes);

  private:
    cl_uint rows() const { return levels_.front().rows; }
    Kernel kernel(const char *name) const;
    void count_steps();
    // A d, and the parts of d A d.
    void apply(const Array &direction, Array &image, Array &parts);
    // An approximate solution for this right-hand side.
    Array cycle(const Array &right, std::size_t level = 0);

    Compute &compute_;
    std::vector<Level> levels_;
    Array positions_;
    Array counts_; // of pixels beside the gaps, in parts
    ConjugateGradients gradients_;
    unsigned steps_ = 0; // that solutions take
};

} // namespace tomo
