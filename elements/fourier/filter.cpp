// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "filter-response.hpp"
#include "transform.hpp"

#include <gst/tomo/filter.hpp>

using tomo::fourier::Response;

namespace {

class FilterElement final : public tomo::BatchFilter {
  public:
    static constexpr tomo::Info info{
        "filter", "Filter/Effect",
        "Multiplies the spectrum of every row by the response of a filter for backprojection",
        tomo::formats::complex64, tomo::formats::complex64};

    tomo::Choice<Response> filter{
        this,
        "filter",
        "Response; f is the frequency in cycles per pixel, N the length of the transform",
        Response::ramp_fromreal,
        {{Response::ramp, "ramp", "f, and 0.25 / N at f = 0"},
         {Response::ramp_fromreal, "ramp-fromreal",
          "Transform of the band-limited ramp's kernel in real space"},
         {Response::butterworth, "butterworth", "f / (1 + (f / cutoff)^(2 order))"},
         {Response::faris_byer, "faris-byer",
          "For beam deflections: -i sign(f) / (2 pi tau) + sin(theta) f / (2 tau)"},
         {Response::hamming, "hamming", "f (0.54 + 0.46 cos(pi f / cutoff)) below cutoff, 0 above"},
         {Response::bh3, "bh3", "f (0.42 + 0.5 cos(pi f) + 0.08 cos(2 pi f)), and 0.25 / N at f = 0"}},
        tomo::When::reshapes};
    tomo::Property<float> cutoff{
        this, "cutoff",     "Cycles per pixel, 0.5 is Nyquist's frequency; of butterworth and hamming",
        0.5f, {0.0f, 1.0f}, tomo::When::reshapes};
    tomo::Property<float> order{this, "order",       "Order of butterworth",
                                4.0f, {2.0f, 32.0f}, tomo::When::reshapes};
    tomo::Property<float> tau{this,
                              "tau",
                              "Distance of samples, of faris-byer; not 0",
                              0.1f,
                              {-FLT_MAX, FLT_MAX},
                              tomo::When::reshapes};
    tomo::Property<float> theta{this,
                                "theta",
                                "Angle in radians whose sine mixes the ramp into faris-byer",
                                1.0f,
                                {-FLT_MAX, FLT_MAX},
                                tomo::When::reshapes};
    tomo::Property<float> scale{
        this, "scale", "Factor on the response", 1.0f, {-FLT_MAX, FLT_MAX}, tomo::When::reshapes};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        if (filter == Response::faris_byer && tau == 0.0f)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              "tau=0: filter=faris-byer needs the distance of samples");
        const auto h = tomo::fourier::response(filter, in.width, {cutoff, order, tau, theta, scale});
        std::vector<float> table;
        for (const auto &value : h) {
            table.push_back(static_cast<float>(value.real()));
            table.push_back(static_cast<float>(value.imag()));
        }
        response_ = upload(table).as(tomo::ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, in.width, 1));
        return in;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        const tomo::Array &response = response_;
        launch(kernel("multiply_rows"), tomo::WorkSize(out.info()), in, response, out);
    }

    void stop() override { response_ = {}; }

  protected:
    unsigned batch_that_pays(const tomo::ArrayInfo &in) override {
        return tomo::fourier::batch_that_pays(*device(), in);
    }

  private:
    tomo::Array response_;
};

} // namespace

TOMO_ELEMENT(FilterElement)
