// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "response-properties.hpp"
#include <gst/operators/fourier-transforms.hpp>
#include <gst/operators/group-fft.hpp>

#include <gst/tomo/bases/filter.hpp>

#include <algorithm>
#include <bit>
#include <optional>

using namespace tomo;

namespace {

class RampFilter final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "ramp-filter",
        .klass = "Filter/Effect",
        .blurb = "Filters rows of sinograms for backprojection: pads them by their edge values, transforms, "
                 "multiplies, transforms back and crops, in one go",
        .details =
            "The element does the work of `tomofft size-x=P ! tomofilter ! tomoifft crop-width=W`, but "
            "continues rows by their edge values. Where the object reaches over the edge, edge values are "
            "closer to the truth than zeros. The responses are those of `tomofilter`.",
        .example =
            "tomoread path=sinogram.tif ! tomorampfilter ! tomowrite filename=filtered.tif\n"
            "tomoread path='sinograms/*.tif' ! tomorampfilter ! tomobackproject axis-pos=131 ! tomowrite "
            "filename=slices.h5:/slices",
    };

    fourier::ResponseProperties response{this};
    Property<unsigned> pad_width{
        this,
        "pad-width",
        Automatic{0},
        {0, 65536},
        When::reshapes,
        "Width of the transform; 0: the next power of two of at least twice the row's width, which "
        "keeps the ends of the row apart. With the row's width the result is that of tomofft, "
        "tomofilter and tomoifft without padding"};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (pad_width && pad_width < in.width)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("pad-width=%u is less than the input's %u columns: crop before",
                             pad_width.value(), in.width));
        length_ = pad_width ? pad_width.value() : std::bit_ceil(2 * in.width);
        const auto table = response.of_length(length_);
        if (fourier::GroupFft::fits(*device(), length_, flags_bytes)) {
            table_ = fourier::upload_response(*this, table, 1.0 / length_);
            group_fft_ = std::optional(fourier::GroupFft(*this, length_));
            kernel("ramp_filter", (*group_fft_)->options());
        } else {
            group_fft_ = std::optional<fourier::GroupFft>();
            table_ = fourier::upload_response(*this, table);
            const std::uint64_t pairs = std::uint64_t{in.depth} * batch_size() * pairs_of(in);
            pairs_ = ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, length_, pairs);
            fft_ = {*this, pairs_, 1, 1};
        }
        fourier::report_response(*this, response, length_);
        return in.with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const Array &in, Array &out) override {
        const cl_uint width = in.width(), height = in.height(), rows = height * in.depth(),
                      pairs = pairs_of(in.info()) * in.depth();
        if (const auto &fft = *group_fft_) {
            launch(kernel("ramp_filter", fft->options()), WorkSize(pairs * fft->items()).groups(fft->items()),
                   in, out, BareBuffer{*table_}, fft->circle(), width, height, fft->local(),
                   LocalMemory{flags_bytes});
            return;
        }
        Array spectra = allocate(pairs_);
        Array bad = allocate({GST_TOMO_FORMAT_UINT8, rows, 1});
        launch(kernel("ramp_check"), WorkSize(rows), in, bad, width);
        const Array &marks = bad, &filtered = spectra;
        launch(kernel("ramp_pad"), WorkSize(length_, pairs), in, marks, spectra, width, height);
        fft_->run(*this, FftDirection::Forward, spectra, spectra);
        launch(kernel("ramp_multiply"), WorkSize(length_, pairs), ReadWrite{spectra}, BareBuffer{*table_});
        fft_->run(*this, FftDirection::Inverse, spectra, spectra);
        launch(kernel("ramp_crop"), WorkSize(width, rows), filtered, marks, out, cl_uint{length_}, height);
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in); }

  private:
    static constexpr std::size_t flags_bytes = 2 * sizeof(cl_int);

    // Of rows of one image.
    static unsigned pairs_of(const ArrayInfo &image) { return (image.height + 1) / 2; }

    unsigned length_ = 0;          // of the transform
    UntilStop<Array> table_{this}; // the response
    UntilStop<std::optional<fourier::GroupFft>> group_fft_{this};
    ArrayInfo pairs_;
    UntilStop<fourier::Transforms> fft_{this};
};

} // namespace

TOMO_ELEMENT(RampFilter)
