// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class FilterStripes1d final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "filter-stripes1d",
        .klass = "Filter/Effect",
        .blurb =
            "Suppresses the low frequencies of rows, as they are in the spectra of the stripes of a sinogram",
        .in = formats::complex64,
        .out = formats::complex64,
        .details =
            "Multiplies by 1 - exp(-k^2 / (2 s^2)), s = strength / (2 sqrt(2 ln 2)), k the signed "
            "frequency in x: a Gaussian high pass, 1/2 at k = strength / 2 and 0 at the mean. Any width.",
        .example =
            "tomoread path=sinogram.tif ! tomofft ! tomofilterstripes1d strength=2 ! tomoifft ! tomowrite "
            "filename=filtered.tif",
    };

    Property<float> strength{this,
                             "strength",
                             1.0f,
                             {1e-3f, FLT_MAX},
                             "Full width at half maximum of the suppressed band, in frequency pixels"};

  protected:
    void add_arguments(Launch &launch, const Array &) override { launch.add(strength.value()); }

    ArrayInfo shape(const ArrayInfo &in) override { return in; }
};

} // namespace

TOMO_ELEMENT(FilterStripes1d)
