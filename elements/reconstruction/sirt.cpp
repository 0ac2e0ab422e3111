// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"

using namespace tomo;

namespace {

class Sirt final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "sirt",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam by simultaneous iterations (SIRT, OS-SIRT)",
        .details =
            "x += `relaxation` A*((b - A x) / A 1) / A* 1 from x = 0, b the sinogram, then `minimum` and `maximum`; with "
            "`subsets`, for one subset of the views after another, which is faster by about their number. View v belongs to "
            "subset v % `subsets`, and subsets follow each other far apart (golden ratio). Gilbert, J. Theor. Biol. 36, 105 "
            "(1972); with these weights Gregor, Benson, IEEE Trans. Med. Imaging 27, 918 (2008), doi "
            "10.1109/TMI.2008.923696." TOMO_ITERATIVE_DETAILS TOMO_PROJECTOR_DETAILS
            " A 1 and A* 1 remain those of Joseph's method, because this A has small negative weights, too, and none counts "
            "for less than a quarter of the largest.",
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomosirt axis-pos=131 num-iterations=3 ! fakesink",
    };

    Sirt() : IterativeSlices(SolverMethod::additive) {}

    Property<double> relaxation{
        this,         "relaxation",   1.0,
        {1e-6, 10.0}, When::reshapes, "Factor of each correction; below 2 the iterations converge"};
    Property<unsigned> subsets{this,       "subsets",      1,
                               {1, 32768}, When::reshapes, "Subsets of the views; at most as many as views"};
    PixelBounds bounds{this};

    ProjectorChoice projector{this};

  protected:
    const ProjectorChoice *projector_choice() const override { return &projector; }
    SolverSettings solver_settings() const override {
        SolverSettings settings{.relaxation = relaxation, .subsets = subsets};
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Sirt)
