// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "response-properties.hpp"
#include "transform.hpp"

#include <gst/tomo/bases/filter.hpp>

namespace {

class FilterElement final : public tomo::BatchFilter {
  public:
    static constexpr tomo::Info info{
        "filter",
        "Filter/Effect",
        "Multiplies the spectrum of every row by the response of a filter for backprojection",
        tomo::formats::complex64,
        tomo::formats::complex64,
        "Multiplies frequency f (cycles per pixel, |f| <= 1/2) by the chosen response: the ramp |f|, which "
        "inverts the Radon transform (A. C. Kak, M. Slaney, Principles of Computerized Tomographic Imaging, "
        "1988, chapter 3), alone or damped towards high frequencies. `ramp-fromreal` is the transform of "
        "the ramp's samples in space, which keeps the mean right; `ramp` is |f| itself. The element stands "
        "between `tomofft` and `tomoifft`. Transform at twice the width or more; otherwise the ends of a "
        "row wrap into each other.",
        "tomoread path=sinogram.tif ! tomofft size-x=512 ! tomofilter filter=butterworth cutoff=0.3 ! "
        "tomoifft crop-width=256 ! tomobackproject axis-pos=131 ! tomowrite filename=smooth.tif"};

    tomo::fourier::ResponseProperties response{this};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        table_ = tomo::fourier::upload_response(*this, response.of_length(in.width));
        tomo::fourier::report_response(*this, response, in.width);
        return in;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        const tomo::Array &table = table_;
        launch(kernel("multiply_rows"), tomo::WorkSize(out.info()), in, table, out);
    }

    void stop() override { table_ = {}; }

  protected:
    unsigned batch_that_pays(const tomo::ArrayInfo &in) override {
        return tomo::fourier::batch_that_pays(*device(), in);
    }

  private:
    tomo::Array table_; // the response
};

} // namespace

TOMO_ELEMENT(FilterElement)
