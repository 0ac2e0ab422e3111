// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"

using namespace tomo;

namespace {

class Sart final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "sart",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam view by view (SART)",
        .details =
            "x += `relaxation` A*((b - A x) / A 1) / A* 1 from x = 0 for one view after another, b its row of the sinogram, A its "
            "projection, then `minimum` and `maximum`. Andersen, Kak, Ultrason. Imaging 6, 81 (1984), doi "
            "10.1177/016173468400600107." TOMO_ITERATIVE_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomosart axis-pos=131 num-iterations=3 ! fakesink",
    };

    Sart() : IterativeSlices(SolverMethod::additive) {}

    Property<double> relaxation{this,           "relaxation",
                                0.25,           {1e-6, 10.0},
                                When::reshapes, "Factor of each correction; below 2 the iterations converge"};
    enum class Order { golden, sequential };
    Choice<Order> view_order{
        this,
        "view-order",
        Order::golden,
        {{Order::golden, "golden", "Views that follow each other are far apart, by the golden ratio"},
         {Order::sequential, "sequential", "As they come"}},
        When::reshapes,
        "In which order views are taken"};
    PixelBounds bounds{this};

  protected:
    SolverSettings solver_settings() const override {
        SolverSettings settings{.relaxation = relaxation,
                                .subsets = G_MAXUINT,
                                .is_in_golden_order = view_order == Order::golden};
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Sart)
