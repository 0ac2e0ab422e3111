// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "response-properties.hpp"
#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class FilterElement final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "filter",
        .klass = "Filter/Effect",
        .blurb = "Multiplies the spectrum of every row by the response of a filter for backprojection",
        .in = formats::complex64,
        .out = formats::complex64,
        .details =
            "Multiplies frequency f (cycles per pixel, |f| <= 1/2) by the chosen response: the ramp |f|, "
            "which inverts the Radon transform (A. C. Kak, M. Slaney, Principles of Computerized "
            "Tomographic Imaging, 1988, chapter 3), alone or damped towards high frequencies. "
            "`ramp-fromreal` is the transform of the ramp's samples in space, which keeps the mean right; "
            "`ramp` is |f| itself. The element stands between `tomofft` and `tomoifft`. Transform at "
            "twice the width or more; otherwise the ends of a row wrap into each other.",
        .example =
            "tomoread path=sinogram.tif ! tomofft size-x=512 ! tomofilter filter=butterworth cutoff=0.3 ! "
            "tomoifft crop-width=256 ! tomobackproject axis-pos=131 ! tomowrite filename=smooth.tif",
    };

    fourier::ResponseProperties response{this};

    ArrayInfo shape(const ArrayInfo &in) override {
        table_ = fourier::upload_response(*this, response.of_length(in.width));
        fourier::report_response(*this, response, in.width);
        return in;
    }

    void process(const Array &in, Array &out) override {
        const Array &table = *table_;
        launch(kernel("multiply_rows"), WorkSize(out.info()), in, table, out);
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in); }

  private:
    UntilStop<Array> table_{this}; // the response
};

} // namespace

TOMO_ELEMENT(FilterElement)
