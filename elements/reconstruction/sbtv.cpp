// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"
#include "variation-properties.hpp"

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
            "2, 323 (2009), doi 10.1137/080725891." TOMO_ITERATIVE_DETAILS TOMO_PROJECTOR_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomosbtv axis-pos=131 num-iterations=2 lambda=0.002 minimum=0 ! fakesink",
    };

    Sbtv() : IterativeSlices(SolverMethod::split_bregman) {}

    VariationWeight weight{this, When::reshapes};
    SplitSteps steps{this, When::reshapes};
    VariationPlanes planes{this};
    PixelBounds bounds{this};

    ProjectorChoice projector{this};

  protected:
    const ProjectorChoice *projector_choice() const override { return &projector; }
    SolverSettings solver_settings() const override {
        SolverSettings settings;
        weight.add_to(settings);
        steps.add_to(settings);
        planes.add_to(settings, input_info());
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Sbtv)
