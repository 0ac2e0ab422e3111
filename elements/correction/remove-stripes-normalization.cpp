// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "column-means.hpp"

using namespace tomo;

namespace {

class RemoveStripesNormalization final : public correction::StripesByMeans {
  public:
    static constexpr Info info{
        .task = "remove-stripes-normalization",
        .klass = "Filter/Effect",
        .blurb =
            "Removes vertical stripes of sinograms: the mean of each column over the views becomes what it "
            "is over a Gaussian along the row",
        .details =
            R"(p(y, x) + g(x) - m(x): m is the mean of column x over the rows, and g is m smoothed by a Gaussian of `sigma` columns,
which ends at 4 sigma and sees the mirror image of m beyond its ends. So m loses all structures along x that are narrower
than sigma. It takes absorption, in which faults of the detector add; for transmission, in which they multiply, there is
`tomodoubleflatfield`. With `chunks` above 1 the rows are cut into as many sets, one behind another, each with its own
means, so that stripes may change during the scan.

A smaller `sigma` removes narrower stripes only, and keeps more of what the object itself has as rings around the axis.

M. L. Rivers, Tutorial introduction to X-ray computed microtomography data processing, University of Chicago, 1998;
R. A. Ketcham, New algorithms for ring artifact removal, Proc. SPIE 6318 (2006) 63180O, doi 10.1117/12.680939.

Samples that are not finite stay as they are and don't count in any mean. A column without any finite sample stays as it
is, and the means of its neighbours are smoothed without it.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripesnormalization sigma=15 ! tomowrite filename=clean.tif",
    };

    Property<float> sigma{this,         "sigma",        15.0f,
                          {0.1f, 1e4f}, When::reshapes, "Standard deviation of the Gaussian in columns"};
    ArrayInfo shape(const ArrayInfo &in) override {
        gaussian_ = correction::upload_gaussian(*this, sigma);
        return StripesByMeans::shape(in);
    }

  protected:
    Array corrections(const Array &lines) override {
        return means().smoothed(*this, lines, *gaussian_, correction::Operation::add);
    }

  private:
    UntilStop<correction::Gaussian> gaussian_{this};
};

} // namespace

TOMO_ELEMENT(RemoveStripesNormalization)
