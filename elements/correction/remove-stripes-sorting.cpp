// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripe-filter.hpp"

using namespace tomo;

namespace {

class RemoveStripesSorting final : public StripeFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-sorting",
        .klass = "Filter/Effect",
        .blurb = "Removes stripes from sinograms by medians among the sorted values of neighbouring columns",
        .details =
            R"(Algorithm 3 of N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26 (2018) 28396, doi 10.1364/OE.26.028396.
Each column is sorted, medians are taken along the rows of the sorted columns, and each median goes back to the view whose
value had its place. Neighbouring columns have seen nearly the same values, so what differs is the detector. Partial stripes
vanish as well, and none appear; `size` is to be larger than the widest stripe.

Sinograms are transmission, as after `tomoflatfieldcorrect`; take the logarithm afterwards. Absorption has the opposite order and gives the same up to rounding, but for windows of even size. Equal values keep the order of their views.
Of an even number of values the upper one in the middle is the median; rows are mirrored at their ends, the outermost value first. NaN is the largest value and stays where it is; nothing else becomes NaN.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripessorting size=21 ! tomowrite filename=clean.tif",
    };

    Property<unsigned> size = median_size(this, 21);

    ArrayInfo shape(const ArrayInfo &in) override {
        stripes().prepare(in, size, Medians::in_time);
        return StripeFilter::shape(in);
    }

    void process(const Array &in, Array &out) override { stripes().sort_out(in, out, size); }
};

} // namespace

TOMO_ELEMENT(RemoveStripesSorting)
