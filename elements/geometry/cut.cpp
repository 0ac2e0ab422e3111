// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class Cut final : public Filter {
  public:
    static constexpr Info info{
        .task = "cut",
        .klass = "Filter/Effect",
        .blurb = "Removes columns in the middle of each plane",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(Of the n columns that stay, the first n div 2 + 1 are those at the left and the others those at
the right, so that a spectrum as `fft` gives it keeps its n lowest frequencies. The axis of a scan moves
with its column; an axis in a removed column is unknown afterwards.)",
        .example = "tomoread path=projection.tif ! tomocut width=40 ! tomowrite filename=cut.tif",
    };

    Property<unsigned> width{this, "width", 0, When::reshapes, "Columns to remove"};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (width >= in.width)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("width=%u columns are to be removed from %u: there is nothing left",
                             width.value(), in.width));
        const unsigned rest = in.width - width;
        left_ = std::min(rest, rest / 2 + 1);
        return in.with_size(rest, in.height);
    }

  protected:
    Array apply(const Array &in) override {
        if (output_info() == in.info())
            return in;
        Array out = allocate(output_info());
        const std::size_t sample = in.info().sample_size(), row = in.width() * sample,
                          out_row = out.width() * sample, left = left_ * sample, right = out_row - left;
        const std::size_t rows = std::size_t{in.height()} * in.depth();
        copy_rows(in, {0, row}, out, {0, out_row}, left, rows);
        if (right)
            copy_rows(in, {row - right, row}, out, {left, out_row}, right, rows);
        return out;
    }

    EventRef scan_event(EventRef event) override {
        const auto &in = input_info();
        const double axis = Scan(event.get()).axis_position;
        const bool is_left = !(axis > left_);
        event = scan_after(event, in, {is_left ? 0.0 : double(width), 1.0, output_info().width},
                           {0.0, 1.0, in.height});
        if (is_left || axis >= left_ + width || !has_detector_columns(in))
            return event;
        Scan scan(event.get());
        scan.axis_position = std::nan("");
        scan.forget_region_x();
        return scan.to_event();
    }

  private:
    unsigned left_ = 0; // columns that stay at the left
};

} // namespace

TOMO_ELEMENT(Cut)
