// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripe-filter.hpp"

using namespace tomo;

namespace {

class RemoveStripesFiltering final : public StripeFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-filtering",
        .klass = "Filter/Effect",
        .blurb =
            "Removes stripes from sinograms by medians among the sorted low frequencies of neighbouring columns",
        .details =
            R"(Algorithm 2 of N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26 (2018) 28396, doi 10.1364/OE.26.028396, with the sorting of its algorithm 3 for the low frequencies, as its authors use it.
The low frequencies of a column are its Fourier transform times exp(-k^2 / (2 sigma^2)), with the frequency k in periods over
the column, which is mirrored at its ends for a tenth of the views, at most 150. They are sorted and smoothed as by
`tomoremovestripessorting`; the high frequencies are added as they were. So noise does not change the order.

Sinograms are transmission, as after `tomoflatfieldcorrect`; take the logarithm afterwards. A column that is not finite stays as it is. Of an even number of values the upper one in the middle is the median; rows are mirrored at their ends, the outermost value first.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripesfiltering sigma=3 size=21 ! tomowrite filename=clean.tif",
    };

    Property<double> sigma{
        this,
        "sigma",
        3.0,
        {0.1, 100.0},
        When::reshapes,
        "Standard deviation of the window that separates low frequencies, in periods over the column; above 10 the middle of slices suffers"};
    Property<unsigned> size = median_size(this, 21);

    ArrayInfo shape(const ArrayInfo &in) override {
        stripes().prepare(in, size, Medians::added);
        return StripeFilter::shape(in);
    }

    void process(const Array &in, Array &out) override { stripes().filter_out(in, out, sigma, size); }
};

} // namespace

TOMO_ELEMENT(RemoveStripesFiltering)
