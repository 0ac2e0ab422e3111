// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"

using namespace tomo;

namespace {

class Cgls final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "cgls",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam by conjugate gradients (CGLS)",
        .details =
            "Conjugate gradients for the least |A x - b| from x = 0, b the sinogram: in few iterations where SIRT takes many. The "
            "number of iterations is the regularisation; noise grows with it. Rounding would bring back earlier gradients and "
            "cost iterations: each gradient is freed of the first 32, or of as many as fit into a quarter of the device's memory. "
            "Hestenes, Stiefel, J. Res. Nat. Bur. Stand. 49, 409 "
            "(1952); Bjoerck, Numerical Methods for Least Squares Problems, SIAM 1996, section 7.4." TOMO_ITERATIVE_DETAILS
                TOMO_PROJECTOR_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomocgls axis-pos=131 num-iterations=3 ! fakesink",
    };

    Cgls() : IterativeSlices(SolverMethod::gradients) {}

    ProjectorChoice projector{this};

  protected:
    const ProjectorChoice *projector_choice() const override { return &projector; }
};

} // namespace

TOMO_ELEMENT(Cgls)
