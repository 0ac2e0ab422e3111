// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Reduce final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "reduce",
        .klass = "Filter/Effect",
        .blurb = "Halves width and height of each plane, adding up squares of four pixels",
        .details =
            "The result is that of `tomobin` with size 2, but planes stay planes. A last odd column or "
            "row is left out.",
        .example = "tomoread path=slice.tif ! tomoreduce ! tomowrite filename=half.tif",
    };

    std::string kernel_file_name() const override { return "bin.cl"; }

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.width < 2 || in.height < 2)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s is too small to be halved; wanted at least 2 x 2", in.describe().c_str()));
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width / 2, in.height / 2);
    }

  protected:
    std::string kernel_name() const override { return "bin"; }
    void add_arguments(Launch &launch, const Array &in) override {
        launch.add(cl_uint{in.width()});
        launch.add(cl_uint{in.height()});
        launch.add(cl_uint{2});
        launch.add(cl_uint{1});
    }

    EventRef scan_event(EventRef event) override {
        const auto &out = output_info();
        return scan_after(event, input_info(), {0.0, 0.5, out.width}, {0.0, 0.5, out.height});
    }
};

} // namespace

TOMO_ELEMENT(Reduce)
