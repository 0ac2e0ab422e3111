// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"

using namespace tomo;

namespace {

class Sbtv final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "sbtv",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam with little total variation (split Bregman)",
        .details =
            "Split Bregman iterations for the least " TOMO_VARIATION_OBJECTIVE
            ". The differences D x have copies d: `cg-iterations` "
            "conjugate gradients lower |A x - b|^2 / (2 V) + `penalty` |D x - d + s|^2 / 2, then d is D x + s, shortened by "
            "lambda / penalty, and s the rest. Each conjugate gradient goes through all views. Goldstein, Osher, SIAM J. Imaging Sci. "
            "2, 323 (2009), doi 10.1137/080725891." TOMO_ITERATIVE_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomosbtv axis-pos=131 num-iterations=2 lambda=0.002 minimum=0 ! fakesink",
    };

    Sbtv() : IterativeSlices(20) {}

    Property<double> lambda{this,           "lambda",
                            0.001,          {0.0, 1e6},
                            When::reshapes, "Weight of the total variation, in units of the sinogram"};
    Property<double> penalty{
        this,
        "penalty",
        1.0,
        {1e-6, 1e6},
        When::reshapes,
        "Weight of the distance between differences and their copies: changes the way to the result, "
        "not the result"};
    Property<unsigned> cg_iterations{this,      "cg-iterations", 3,
                                     {1, 1000}, When::reshapes,  "Conjugate gradients in each iteration"};
    VariationPlanes planes{this};
    PixelBounds bounds{this};

  protected:
    SolverMethod solver_method() const override { return SolverMethod::split_bregman; }
    SolverSettings solver_settings() const override {
        SolverSettings settings;
        settings.lambda = lambda;
        settings.penalty = penalty;
        settings.inner_iterations = cg_iterations;
        planes.add_to(settings, input_info());
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Sbtv)
