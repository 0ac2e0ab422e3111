// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>

#include <bit>

using namespace tomo;

namespace {

class FftElement final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "fft",
        .klass = "Filter/Effect",
        .blurb = "Forward Fourier transform, X[k] = sum of x[n] exp(-2 pi i k n / N), not normalised",
        .in = formats::all,
        .out = formats::complex64,
        .details =
            "Over the columns (`dimensions=1`), columns and rows (2) or also the depth (3). Complex "
            "samples stay complex; real input gives the full spectrum, with the redundant half. Frequency "
            "k of N is k / N cycles per pixel for k < N / 2, and (k - N) / N from there on. The transform "
            "takes any length. It pads with zeros only where `size-x`, `size-y` or `size-z` ask for it.",
        .example = "tomoread path=sinogram.tif ! tomofft size-x=512 ! tomofilter ! tomoifft crop-width=256 ! "
                   "tomowrite filename=filtered.tif",
    };

    Property<unsigned> dimensions{this,   "dimensions",   1,
                                  {1, 3}, When::reshapes, "1: every row, 2: every plane, 3: the whole array"};
    Property<unsigned> size_x{
        this,       "size-x",       Automatic{0},
        {0, 32768}, When::reshapes, "Width of the transform; zeros are appended. 0: that of the input"};
    Property<unsigned> size_y{
        this,       "size-y",       Automatic{0},
        {0, 32768}, When::reshapes, "Height of the transform, for dimensions above 1; 0: that of the input"};
    Property<unsigned> size_z{
        this,       "size-z",       Automatic{0},
        {0, 32768}, When::reshapes, "Depth of the transform, for 3 dimensions; 0: that of the input"};
    Property<bool> auto_zeropadding{this, "auto-zeropadding", false, When::reshapes,
                                    "Sizes that are not given become the next power of two"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto out =
            in.with_size(size("size-x", size_x, in.width, 1), size("size-y", size_y, in.height, 2),
                         size("size-z", size_z, in.depth, 3))
                .with_format(GST_TOMO_FORMAT_COMPLEX64)
                .with_domain(GST_TOMO_DOMAIN_SPECTRUM);
        fft_ = {*this, out, dimensions, batch_size()};
        depths_ = {in.depth, out.depth};
        report_effective(EffectiveValues()
                             .add("transform-width", out.width)
                             .add("transform-height", dimensions > 1 ? out.height : 1u)
                             .add("transform-depth", dimensions > 2 ? out.depth : 1u));
        return out;
    }

    void process(const Array &in, Array &out) override {
        const auto pad = kernel("pad_to_complex", in.info().is_complex() ? "-D COMPLEX" : "");
        launch(pad, WorkSize(out.info()), in, out, cl_uint{in.width()}, cl_uint{in.height()}, depths_[0],
               depths_[1]);
        fft_->run(*this, FftDirection::Forward, out, out);
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in, dimensions); }

  private:
    unsigned size(const char *name, unsigned given, unsigned length, unsigned dimension) const {
        if (dimensions < dimension) {
            if (given && given != length)
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            text("%s=%u has no meaning with dimensions=%u", name, given, dimensions.value()));
            return length;
        }
        if (given && given < length)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s=%u is less than the input's %u samples: crop before", name, given, length));
        if (given)
            return given;
        return auto_zeropadding ? std::bit_ceil(length) : length;
    }

    UntilStop<fourier::Transforms> fft_{this};
    std::array<cl_uint, 2> depths_{}; // of one array, in and out
};

} // namespace

TOMO_ELEMENT(FftElement)
