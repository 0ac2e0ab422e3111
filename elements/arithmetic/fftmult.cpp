// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

class Fftmult final : public Joiner {
  public:
    static constexpr Info info{
        .task = "fftmult",
        .klass = "Filter/Effect",
        .blurb = "Product of two spectra, sample by sample: the spectrum of the circular convolution",
        .in = formats::complex64,
        .out = formats::complex64,
        .details = "out = sink_0 * sink_1, complex. Both inputs have one size, any size; an input that ended "
                   "repeats its last array until both have ended.",
        .example =
            "tomofftmult name=m ! tomoifft dimensions=2 ! tomowrite filename=convolved.tif  tomoread "
            "path=slice.tif ! tomofft dimensions=2 ! m.  tomoread path=slice.tif ! tomofft dimensions=2 ! "
            "m.",
    };

    std::vector<Input> inputs() const override { return {}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in.size() != 2)
            throw Error(GST_CORE_ERROR_PAD, text("%zu inputs are linked, wanted 2", in.size()));
        check_equal(in);
        return in[0];
    }

    void process(const std::vector<Array> &in, Array &out) override {
        launch(kernel("fftmult"), WorkSize(out.info().samples()), in[0], in[1], out);
    }
};

} // namespace

TOMO_ELEMENT(Fftmult)
