// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripe-filter.hpp"

using namespace tomo;

namespace {

class RemoveStripesAll final : public StripeFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-all",
        .klass = "Filter/Effect",
        .blurb =
            "Removes stripes of all kinds from sinograms: of dead and fluctuating pixels, wide ones, and small ones",
        .details =
            R"(The combination that N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26 (2018) 28396, doi 10.1364/OE.26.028396,
propose: algorithms 6, 5 and 3 in this order, each as its own element computes it: `tomoremovestripesdead residual=false`,
`tomoremovestripeslarge`, `tomoremovestripessorting`.

Sinograms are transmission, as after `tomoflatfieldcorrect`; take the logarithm afterwards.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripesall snr=3 large-size=51 small-size=21 ! tomowrite filename=clean.tif",
    };

    Property<double> snr = stripe_snr(this);
    Property<unsigned> large_size = median_size(
        this, 51, "large-size",
        "Columns of the window of the medians for dead and wide stripes; larger removes wider stripes");
    Property<unsigned> small_size = median_size(
        this, 21, "small-size",
        "Columns of the window of the medians for all other stripes; larger removes wider stripes");
    Property<double> drop_ratio = drop_ratio_of_views(this);

    ArrayInfo shape(const ArrayInfo &in) override {
        stripes().prepare(in, small_size, Medians::in_time);
        stripes().prepare(in, large_size, Medians::alone);
        return StripeFilter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        Array bridged = allocate(out.info()), normalised = allocate(out.info());
        stripes().bridge_dead(in, bridged, large_size, snr);
        stripes().normalise_large(bridged, normalised, large_size, snr, drop_ratio);
        stripes().sort_out(normalised, out, small_size);
    }
};

} // namespace

TOMO_ELEMENT(RemoveStripesAll)
