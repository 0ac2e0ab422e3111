// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripe-filter.hpp"

using namespace tomo;

namespace {

class RemoveStripesFitting final : public StripeFilter {
  public:
    static constexpr Info info{
        .task = "remove-stripes-fitting",
        .klass = "Filter/Effect",
        .blurb = "Removes stripes from sinograms by smoothing the polynomials that fit their columns",
        .details =
            R"(Algorithm 1 of N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26 (2018) 28396, doi 10.1364/OE.26.028396.
A polynomial is fitted to each column, by least squares over all views. The fits are smoothed along the rows: their Fourier
transform times exp(-k^2 / (2 sigma^2)), with the frequency k in periods over the row, which goes on by its edge values for a
tenth of the columns, at most 150. The sinogram times smoothed / fitted is the result. For low contrasts and blurred
stripes; objects whose columns are no polynomials get new stripes.

Sinograms are transmission, as after `tomoflatfieldcorrect`; take the logarithm afterwards. A column that is not finite stays as it is, and its neighbours are smoothed as if it had the fit of the next one that is. The authors also smooth along the views, which
changes a polynomial at its ends only, and is left out.)",
        .example =
            "tomoread path=sinogram.tif ! tomoremovestripesfitting order=2 sigma=10 ! tomowrite filename=clean.tif",
    };

    Property<unsigned> order{this, "order", 2, {0, 10}, When::reshapes, "Order of the polynomials"};
    Property<double> sigma{
        this,
        "sigma",
        10.0,
        {0.1, 1000.0},
        When::reshapes,
        "Standard deviation of the window over the frequencies of the rows, in periods over the row; smaller smoothes more"};

    void process(const Array &in, Array &out) override { stripes().fit_out(in, out, order, sigma); }
};

} // namespace

TOMO_ELEMENT(RemoveStripesFitting)
