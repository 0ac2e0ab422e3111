// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"
#include "variation-properties.hpp"

using namespace tomo;

namespace {

class Fista final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "fista",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam with little total variation (FISTA, OS-FISTA)",
        .details =
            "FISTA for the least " TOMO_VARIATION_OBJECTIVE
            ". Each iteration goes down the gradient of the first term, then takes "
            "`tv-iterations` steps of fast gradient projection for the second one. With `subsets`, each subset of the views "
            "stands for all: it is faster by about their number, and ends near the least value, not at it. View v belongs to "
            "subset v % `subsets`. Beck, Teboulle, IEEE Trans. Image Process. 18, 2419 (2009), doi "
            "10.1109/TIP.2009.2028250." TOMO_ITERATIVE_DETAILS TOMO_PROJECTOR_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomofista axis-pos=131 num-iterations=3 subsets=6 lambda=0.002 minimum=0 ! fakesink",
    };

    Fista() : IterativeSlices(SolverMethod::fista) {}

    VariationWeight weight{this, When::reshapes};
    VariationSteps steps{this, When::reshapes,
                         "Steps for the total variation in each iteration, or with each subset"};
    Property<unsigned> subsets{this,       "subsets",      1,
                               {1, 32768}, When::reshapes, "Subsets of the views; at most as many as views"};
    VariationPlanes planes{this};
    PixelBounds bounds{this};

    ProjectorChoice projector{this};

  protected:
    const ProjectorChoice *projector_choice() const override { return &projector; }
    SolverSettings solver_settings() const override {
        SolverSettings settings{.subsets = subsets};
        weight.add_to(settings);
        steps.add_to(settings);
        planes.add_to(settings, input_info());
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Fista)
