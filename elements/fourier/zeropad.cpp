// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/rotation-axis.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <bit>

using namespace tomo;

namespace {

class Zeropad final : public Filter {
  public:
    static constexpr Info info{
        .task = "zeropad",
        .klass = "Filter/Effect",
        .blurb = "Makes rows of a sinogram complex and wide enough for direct Fourier inversion, with the "
                 "pixel of the rotation axis first",
        .out = formats::complex64,
        .details =
            "The output has N = oversampling * 2^ceil(log2 W) columns. Column x goes to (x - floor(axis)) "
            "mod N, all others are zero, so columns left of the axis are at the end of the row. The axis "
            "is then at axis - floor(axis) in edge coordinates, as the scan event tells also where none came.",
        .example =
            "tomoread path=sinogram.tif ! tomozeropad oversampling=2 center-of-rotation=131 ! tomofft ! "
            "tomowrite filename=rows.tif",
    };

    Property<unsigned> oversampling{this,           "oversampling", 1,
                                    {1, G_MAXUINT}, When::reshapes, "Factor on the width"};
    RotationAxis axis{this};

    ArrayInfo shape(const ArrayInfo &in) override {
        const unsigned power = std::bit_ceil(in.width);
        const auto out =
            resized(in.with_format(GST_TOMO_FORMAT_COMPLEX64), std::uint64_t{power} * oversampling, in.height,
                    in.depth, text("oversampling=%u times %u columns", oversampling.value(), power));
        columns_.size = out.width;
        return out;
    }

    void process(const Array &in, Array &out) override {
        axis.report(in.width());
        launch(kernel("zeropad"), WorkSize(out.info()), in, out, cl_uint{in.width()},
               cl_uint{first_column()});
    }

    void stop() override { axis.forget(); }

  protected:
    EventRef scan_event(EventRef event) override {
        axis.update_from(event.get());
        columns_.offset = first_column();
        return with_axis(scan_after(event, input_info(), columns_, {0.0, 1.0, input_info().height}));
    }

    EventRef own_scan_event() override { return with_axis(Scan().to_event()); }

  private:
    Axis axis_of_input() const { return axis.for_columns(input_info().width); }
    unsigned first_column() const { return axis_of_input().column(); }

    // The axis by which columns were moved, in these.
    EventRef with_axis(const EventRef &event) const {
        const auto used = axis_of_input();
        Scan scan(event.get());
        scan.axis_position = used.position - used.column();
        scan.axis_is_found = used.origin == Origin::found;
        return scan.to_event();
    }

    Layout columns_{};
};

} // namespace

TOMO_ELEMENT(Zeropad)
