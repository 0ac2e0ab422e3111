// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Ifft final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "ifft",
        .klass = "Filter/Effect",
        .blurb = "Real part of the inverse Fourier transform, x[n] = sum of X[k] exp(2 pi i k n / N) / N",
        .in = formats::complex64,
        .details = "The division by N makes it the inverse of `tomofft`. The imaginary part is dropped: for "
                   "spectra of real images times symmetric responses it is zero, except for rounding. "
                   "`crop-width` and `crop-height` take the padding of `tomofft` away.",
        .example = "tomoread path=slice.tif ! tomofft dimensions=2 ! tomoifft dimensions=2 ! tomowrite "
                   "filename=same.tif",
    };

    Property<unsigned> dimensions{this,   "dimensions",   1,
                                  {1, 3}, When::reshapes, "1: every row, 2: every plane, 3: the whole array"};
    Property<unsigned> crop_width{this,       "crop-width",   Automatic{0},
                                  {0, 32768}, When::reshapes, "Columns kept, from the left; 0: all"};
    Property<unsigned> crop_height{this,       "crop-height",  Automatic{0},
                                   {0, 32768}, When::reshapes, "Rows kept, from the top; 0: all"};

    ArrayInfo shape(const ArrayInfo &in) override {
        fft_ = {*this, in, dimensions, batch_size()};
        const unsigned width = kept("crop-width", crop_width, in.width),
                       height = kept("crop-height", crop_height, in.height);
        report_effective(EffectiveValues().add("kept-width", width).add("kept-height", height));
        return in.with_size(width, height)
            .with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_domain(GST_TOMO_DOMAIN_UNKNOWN);
    }

    void process(const Array &in, Array &out) override {
        // Others may read the spectrum too, so the transform gets a place of its own.
        Array transformed = allocate(in.info());
        fft_->run(*this, FftDirection::Inverse, in, transformed);
        launch(kernel("crop_real"), WorkSize(out.info()), std::as_const(transformed), out,
               cl_uint{in.width()}, cl_uint{in.height()});
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override {
        return fourier::batch_that_pays(*device(), in, dimensions);
    }

  private:
    static unsigned kept(const char *name, unsigned given, unsigned length) {
        if (given > length)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s=%u is more than the %u samples there are", name, given, length));
        return given ? given : length;
    }

    UntilStop<fourier::Transforms> fft_{this};
};

} // namespace

TOMO_ELEMENT(Ifft)
