// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

namespace {

class Bin final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "bin",
        "Filter/Effect",
        "Adds up squares of pixels (in volumes cubes) to one pixel each",
        tomo::formats::real,
        tomo::formats::float32,
        R"(Output pixel (i, j) is the sum, not the mean, of the pixels s i ... s i + s - 1 of rows s j ... s j
+ s - 1, with s = `size`. Arrays of more than one plane are volumes and are binned along depth as well.
Columns, rows and planes that do not fill a bin at the end are left out. A NaN makes its bin NaN.)",
        "tomoread path=projections ! tomobin size=4 ! tomowrite filename=binned.h5:/data"};

    tomo::Property<unsigned> size{this, "size",  "Pixels along an edge of a bin",
                                  2,    {2, 16}, tomo::When::reshapes};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        const unsigned planes = in.depth > 1 ? size.value() : 1;
        if (in.width < size || in.height < size || in.depth < planes)
            throw tomo::Error(GST_STREAM_ERROR_FORMAT, tomo::text("bins of size=%u do not fit into %s",
                                                                  size.value(), in.describe().c_str()));
        kernel("bin");
        return in.with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_size(in.width / size, in.height / size, in.depth / planes);
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("bin"), tomo::WorkSize(out.info()), in, out, cl_uint{in.width()}, cl_uint{in.height()},
               cl_uint{size}, cl_uint{in.depth() > 1 ? size.value() : 1u});
    }

  protected:
    tomo::EventRef scan_event(tomo::EventRef event) override {
        const auto &out = output_info();
        return tomo::scan_after(event, input_info(), {0.0, 1.0 / size, out.width},
                                {0.0, 1.0 / size, out.height});
    }
};

} // namespace

TOMO_ELEMENT(Bin)
