// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "column-means.hpp"

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class RemoveStripesTitarenko final : public correction::StripesByMeans {
  public:
    static constexpr Info info{
        .task = "remove-stripes-titarenko",
        .klass = "Filter/Effect",
        .blurb =
            "Removes vertical stripes of sinograms: the smallest offsets of columns that make their means "
            "over the views smooth",
        .details =
            R"(Adds q(x) to column x of a sinogram of absorption. With m(x), the mean of column x over the rows, q is what makes

    sum over x of (m(x + 1) + q(x + 1) - m(x) - q(x))^2  +  alpha * sum over x of q(x)^2

smallest: Tikhonov's regularization, after S. Titarenko, V. Titarenko, A. Kyrieleis and P. J. Withers, A priori information
in a regularized sinogram-based method for removing ring artefacts in tomography, J. Synchrotron Rad. 17 (2010) 540, and
S. Titarenko, P. J. Withers and A. Yagola, An analytical formula for ring artefact suppression in X-ray tomography, Appl.
Math. Lett. 23 (2010) 1489, doi 10.1016/j.aml.2010.08.022. Their formula gives m + q
as the mean of m with weights exp(-tau |d|) at the distance d, tau = 2 asinh(sqrt(alpha) / 2), over a line that goes on as
its mirror image at both ends. This element computes those sums from left and from right, in a time that grows with the
width, where the matrix of the formula grows with its square.

Structures along x that are narrower than 1 / tau columns, about 1 / sqrt(alpha), leave the mean: 45 columns for the
default. A larger `alpha` removes narrower stripes only, and keeps more of what the object itself has as rings around the
axis. With `chunks` above 1 the rows are cut into as many sets, one behind another, each with its own means.

TomoPy's remove_stripe_ti is a variant of this (Miqueles and others, J. Synchrotron Rad. 21 (2014) 1333) that takes its
regularization from the data; its `alpha` is another number. algotom 1.6 takes 1 from the wrong one of the formula's two
cosines, and leaves about tau of the height of narrow stripes.

Samples that are not finite stay as they are and don't count in any mean. A column without any finite sample stays as it
is, and the means of its neighbours are smoothed without it.)",
        .example = "tomoread path=sinogram.tif ! tomoremovestripestitarenko alpha=0.0005 ! tomowrite "
                   "filename=clean.tif",
    };

    Property<float> alpha{this,           "alpha",
                          0.0005f,        {1e-10f, 1e4f},
                          When::reshapes, "Weight of the size of the offsets; smaller removes wider stripes"};

    ArrayInfo shape(const ArrayInfo &in) override {
        kernel("titarenko");
        return StripesByMeans::shape(in);
    }

  protected:
    Array corrections(const Array &lines) override {
        const unsigned width = lines.width(), count = lines.height() * lines.depth();
        // A work-item for each core, and many for a GPU.
        const std::size_t items =
            device()->prefers_local_memory() ? std::min<std::size_t>(device()->max_work_group(), 128) : 1;
        const double decay = 2.0 * std::asinh(0.5 * std::sqrt(double{alpha}));
        auto result = allocate(lines.info());
        auto sums = allocate({GST_TOMO_FORMAT_COMPLEX64, 2 * std::uint64_t{width}, count});
        launch(kernel("titarenko"), WorkSize(count * items).groups(items), lines, result,
               ReadWriteBareBuffer{sums}, cl_uint{width}, static_cast<float>(decay),
               LocalMemory{items * sum_bytes}, LocalMemory{items * sum_bytes});
        return result;
    }

  private:
    static constexpr std::size_t sum_bytes = 2 * sizeof(cl_double); // of the kernel's Sum
};

} // namespace

TOMO_ELEMENT(RemoveStripesTitarenko)
