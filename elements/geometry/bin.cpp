// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Bin final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "bin",
        .klass = "Filter/Effect",
        .blurb = "Adds up squares of pixels (in volumes cubes) to one pixel each",
        .details =
            R"(Output pixel (i, j) is the sum, not the mean, of the pixels s i ... s i + s - 1 of rows s j ... s j
+ s - 1, with s = `size`. Arrays of more than one plane are volumes and are binned along depth as well.
Columns, rows and planes that do not fill a bin at the end are left out. A NaN makes its bin NaN.)",
        .example = "tomoread path=projections ! tomobin size=4 ! tomowrite filename=binned.h5:/data",
    };

    Property<unsigned> size{this, "size", 2, {2, 16}, When::reshapes, "Pixels along an edge of a bin"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const unsigned planes = in.depth > 1 ? size.value() : 1;
        if (in.width < size || in.height < size || in.depth < planes)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("bins of size=%u do not fit into %s", size.value(), in.describe().c_str()));
        return in.with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_size(in.width / size, in.height / size, in.depth / planes);
    }

  protected:
    void add_arguments(Launch &launch, const Array &in) override {
        launch.add(cl_uint{in.width()});
        launch.add(cl_uint{in.height()});
        launch.add(cl_uint{size});
        launch.add(cl_uint{in.depth() > 1 ? size.value() : 1u});
    }

    EventRef scan_event(EventRef event) override {
        const auto &out = output_info();
        return scan_after(event, input_info(), {0.0, 1.0 / size, out.width}, {0.0, 1.0 / size, out.height});
    }
};

} // namespace

TOMO_ELEMENT(Bin)
