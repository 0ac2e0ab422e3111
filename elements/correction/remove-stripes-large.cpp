// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripe-filter.hpp"

using namespace tomo;

namespace {

class RemoveStripesLarge final : public StripeFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-large",
        .klass = "Filter/Effect",
        .blurb =
            "Removes wide stripes from sinograms: finds them, normalises all columns and replaces the stripes by medians of sorted columns",
        .details =
            R"(Algorithm 5 of N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26 (2018) 28396, doi 10.1364/OE.26.028396.
Columns are sorted and medians taken along their rows. The ratio of a column's mean to that of its medians tells stripes, and
every column is divided by it. In the stripes the medians take the place of the values, in the order of the views.

A value is a stripe where it is far off a line through the middle half of all sorted values (algorithm 4): the line
begins at F0 and ends at F1, and values above F1 + (F1 - F0) snr / 2 are stripes if the largest one is more than (F1 - F0) snr
above F1; those below F0 likewise. The columns beside a stripe belong to it.

Sinograms are transmission, as after `tomoflatfieldcorrect`; take the logarithm afterwards. Of an even number of values the upper one in the middle is the median; rows are mirrored at their ends, the outermost value first. NaN is the largest value and stays where it is; nothing else becomes NaN.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripeslarge size=51 snr=3 ! tomowrite filename=clean.tif",
    };

    Property<double> snr = stripe_snr(this);
    Property<unsigned> size = median_size(this, 51);
    Property<double> drop_ratio = drop_ratio_of_views(this);

    ArrayInfo shape(const ArrayInfo &in) override {
        stripes().prepare(in, size, Medians::alone);
        return StripeFilter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        stripes().normalise_large(in, out, size, snr, drop_ratio);
    }
};

} // namespace

TOMO_ELEMENT(RemoveStripesLarge)
