// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

namespace {

class Fftmult final : public tomo::Joiner {
  public:
    static constexpr tomo::Info info{
        "fftmult",
        "Filter/Effect",
        "Product of two spectra, sample by sample: the spectrum of the circular convolution",
        tomo::formats::complex64,
        tomo::formats::complex64,
        "out = sink_0 * sink_1, complex. Both inputs have one size, any size; an input that ended repeats "
        "its last "
        "array until both have ended.",
        "tomofftmult name=m ! tomoifft dimensions=2 ! tomowrite filename=convolved.tif  "
        "tomoread path=slice.tif ! tomofft dimensions=2 ! m.  tomoread path=slice.tif ! tomofft dimensions=2 "
        "! m."};

    std::vector<Input> inputs() const override { return {}; }

    tomo::ArrayInfo shape(const std::vector<tomo::ArrayInfo> &in) override {
        if (in.size() != 2)
            throw tomo::Error(GST_CORE_ERROR_PAD, tomo::text("%zu inputs are linked, wanted 2", in.size()));
        check_equal(in);
        return in[0];
    }

    void process(const std::vector<tomo::Array> &in, tomo::Array &out) override {
        launch(kernel("fftmult"), tomo::WorkSize(out.info().samples()), in[0], in[1], out);
    }
};

} // namespace

TOMO_ELEMENT(Fftmult)
