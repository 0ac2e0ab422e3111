// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "padded.hpp"

#include <gst/tomo/bases/filter.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class Contrast final : public Filter {
  public:
    static constexpr Info info{
        .task = "contrast",
        .klass = "Filter/Effect",
        .blurb = "Makes values below the most frequent one black and brightens the rest",
        .details =
            "A histogram of B bins is made of the N pixels of a plane, B = sqrt(N) rounded down, with the "
            "centres of the first and the last bin at the smallest and the largest value. The centre p of "
            "the highest bin, the first and the last one aside, is black: values v up to p become 0, "
            "those above ((v - p) / (h - p))^0.3, and those from h on 1. h is the largest value, or with "
            "remove-high halfway from p to there. NaN stays, and like infinities has no part in the "
            "histogram.",
        .example = "tomoread path=slice.tif ! tomocontrast ! tomowrite filename=bright.tif",
    };

    Property<bool> remove_high{this, "remove-high", false,
                               "Values above the middle between black and the largest value become 0"};

    ArrayInfo shape(const ArrayInfo &in) override {
        bins_ = static_cast<cl_uint>(std::sqrt(static_cast<double>(in.plane_samples())));
        kernel("contrast");
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        const auto image = padded(*this, in, {}, Addressing::clamp); // as float32
        const cl_uint none[2] = {G_MAXUINT32, 0}, zero = 0;
        auto range = allocate({GST_TOMO_FORMAT_UINT32, 2, in.depth()});
        auto histogram = allocate({GST_TOMO_FORMAT_UINT32, bins_, in.depth()});
        auto levels = allocate({GST_TOMO_FORMAT_COMPLEX64, 2, in.depth()}); // eight bytes each
        fill(range, none, sizeof none);
        fill(histogram, &zero, sizeof zero);
        // Each work item takes a part of a column.
        const WorkSize parts(in.width(), std::min(in.height(), 32u), in.depth());
        launch(kernel("contrast_range"), parts, image, ReadWrite{range}, cl_uint{in.height()});
        launch(kernel("contrast_histogram"), parts, image, std::as_const(range), ReadWrite{histogram}, bins_,
               cl_uint{in.height()});
        launch(kernel("contrast_levels"), WorkSize(in.depth()), std::as_const(range),
               std::as_const(histogram), bins_, levels, cl_int{remove_high});
        launch(kernel("contrast"), WorkSize(out.info()), image, std::as_const(levels), out,
               cl_int{remove_high});
    }

  private:
    cl_uint bins_ = 1;
};

} // namespace

TOMO_ELEMENT(Contrast)
