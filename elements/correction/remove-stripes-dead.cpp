// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripe-filter.hpp"

using namespace tomo;

namespace {

class RemoveStripesDead final : public StripeFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-dead",
        .klass = "Filter/Effect",
        .blurb =
            "Removes stripes of dead and of fluctuating pixels from sinograms by interpolation between the columns beside them",
        .details =
            R"(Algorithm 6 of N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26 (2018) 28396, doi 10.1364/OE.26.028396.
The roughness of a column is the mean of |value - mean of the ten views around it|. Its ratio to the median of the columns
around tells stripes: dead pixels have too little of it, fluctuating ones too much. They become values on the line between
the columns on both sides, or that of one side where the other one is not finite. The two outermost columns on each side are never stripes, and where a third of all columns would
be stripes, none is. Columns with NaN or infinities are stripes.

A value is a stripe where it is far off a line through the middle half of all sorted values (algorithm 4): the line
begins at F0 and ends at F1, and values above F1 + (F1 - F0) snr / 2 are stripes if the largest one is more than (F1 - F0) snr
above F1; those below F0 likewise. The columns beside a stripe belong to it.

With `residual` what is left beside them is then removed as by `tomoremovestripeslarge`, with its default drop-ratio.

Sinograms are transmission, as after `tomoflatfieldcorrect`; take the logarithm afterwards. Of an even number of values the upper one in the middle is the median; rows are mirrored at their ends, the outermost value first.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripesdead size=51 snr=3 ! tomowrite filename=clean.tif",
    };

    Property<double> snr = stripe_snr(this);
    Property<unsigned> size = median_size(this, 51);
    Property<bool> residual{this, "residual", true,
                            "Whether stripes that are left are removed as by tomoremovestripeslarge"};

    ArrayInfo shape(const ArrayInfo &in) override {
        stripes().prepare(in, size, Medians::alone);
        return StripeFilter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        if (!residual)
            return stripes().bridge_dead(in, out, size, snr);
        Array bridged = allocate(out.info());
        stripes().bridge_dead(in, bridged, size, snr);
        stripes().normalise_large(bridged, out, size, snr, usual_drop_ratio);
    }
};

} // namespace

TOMO_ELEMENT(RemoveStripesDead)
