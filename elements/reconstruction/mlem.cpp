// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"

using namespace tomo;

namespace {

class Mlem final : public IterativeSlices {
  public:
    static constexpr Info info{
        .task = "mlem",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam for the largest likelihood of counts (MLEM, OSEM)",
        .details =
            "x *= A*(b / A x) / A* 1 from x = 1, b the sinogram; with `subsets` (OSEM), for one subset of the views after another. "
            "View v belongs to subset v % `subsets`. Slices are never negative; samples of the sinogram below 0 count as 0. Shepp, "
            "Vardi, IEEE Trans. Med. Imaging 1, 113 (1982), doi 10.1109/TMI.1982.4307558; Hudson, Larkin, IEEE Trans. Med. Imaging "
            "13, 601 (1994), doi 10.1109/42.363108." TOMO_ITERATIVE_DETAILS,
        .example =
            "tomoread path='sinograms/*.tif' number=2 ! tomomlem axis-pos=131 num-iterations=3 ! fakesink",
    };

    Mlem() : IterativeSlices(SolverMethod::multiplicative) {}

    Property<unsigned> subsets{this,       "subsets",      1,
                               {1, 32768}, When::reshapes, "Subsets of the views; at most as many as views"};
    PixelBounds bounds{this};

  protected:
    SolverSettings solver_settings() const override {
        SolverSettings settings{.subsets = subsets};
        bounds.add_to(settings);
        return settings;
    }
};

} // namespace

TOMO_ELEMENT(Mlem)
