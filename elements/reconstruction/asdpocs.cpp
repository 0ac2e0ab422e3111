// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"
#include "variation-properties.hpp"

using namespace tomo;

namespace {

class Asdpocs final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "asdpocs",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam, with descent of the total variation (ASD-POCS)",
        .details =
            "Each iteration is one of `tomosart`, view by view, with bounds; then `tv-iterations` steps down the gradient of TV(x), of "
            "one length. " TOMO_VARIATION_DETAILS
            "That length is `tv-step` times the first change by data. It shrinks by "
            "`tv-step-reduction` where all steps moved x by more than `tv-limit` times the change by data, unless the residual is within "
            "`residual-limit`. `relaxation` shrinks by `relaxation-reduction` each time. So few views give slices with sharp "
            "edges, without a weight that depends on the unit. Sidky, Pan, Phys. Med. Biol. 53, 4777 (2008), doi "
            "10.1088/0031-9155/53/17/021, with SART in place of ART." TOMO_ITERATIVE_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomoasdpocs axis-pos=131 num-iterations=2 subsets=6 ! fakesink",
    };

    Asdpocs() : IterativeSlices(SolverMethod::asd_pocs) {}

    Property<double> relaxation{
        this,         "relaxation",   1.0,
        {1e-6, 10.0}, When::reshapes, "Factor of each correction by data in the first iteration"};
    VariationSteps steps{this, When::reshapes, "Steps down the total variation in each iteration"};
    VariationDescent descent{this, When::reshapes};
    Property<unsigned> subsets{
        this,
        "subsets",
        32768,
        {1, 32768},
        When::reshapes,
        "Subsets of the views, which correct one after another; at most as many as views, which are then taken one by one"};
    VariationPlanes planes{this};
    PixelBounds bounds{this, 0.0};

  protected:
    SolverSettings solver_settings() const override {
        SolverSettings settings{.relaxation = relaxation, .subsets = subsets};
        steps.add_to(settings);
        descent.add_to(settings);
        planes.add_to(settings, input_info());
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Asdpocs)
