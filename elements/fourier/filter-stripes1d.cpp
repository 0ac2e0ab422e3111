// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

class FilterStripes1d final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "filter-stripes1d",
        "Filter/Effect",
        "Suppresses the low frequencies of rows, as they are in the spectra of the stripes of a sinogram",
        tomo::formats::complex64,
        tomo::formats::complex64,
        "Multiplies by 1 - exp(-k^2 / (2 s^2)), s = strength / (2 sqrt(2 ln 2)), k the signed frequency in "
        "x: a "
        "Gaussian high pass, 1/2 at k = strength / 2 and 0 at the mean. Any width.",
        "tomoread path=sinogram.tif ! tomofft ! tomofilterstripes1d strength=2 ! tomoifft ! "
        "tomowrite filename=filtered.tif"};

    tomo::Property<float> strength{this,
                                   "strength",
                                   "Full width at half maximum of the suppressed band, in frequency pixels",
                                   1.0f,
                                   {1e-3f, FLT_MAX}};

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("filter_stripes1d"), tomo::WorkSize(out.info()), in, out, strength.value());
    }

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override { return in; }
};

} // namespace

TOMO_ELEMENT(FilterStripes1d)
