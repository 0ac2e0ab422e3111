// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Pad final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "pad",
        .klass = "Filter/Effect",
        .blurb = "Puts each plane into a larger one",
        .in = formats::all,
        .out = formats::all,
        .details = "Samples keep their type and value. Output pixel (i, j) is input pixel (i - x, j - y); "
                   "`addressing-mode` fills the pixels outside of the input; its names are those of OpenCL's "
                   "samplers. Facts about the scan follow the new left edge.",
        .example = "tomoread path=slice.tif ! tomopad width=320 height=320 x=32 y=32 "
                   "addressing-mode=clamp_to_edge ! tomowrite filename=larger.tif",
    };

    Property<unsigned> width{this,        "width",        Automatic{0},
                             {0, 131072}, When::reshapes, "Columns of the output; 0: as the input"};
    Property<unsigned> height{this,        "height",       Automatic{0},
                              {0, 131072}, When::reshapes, "Rows of the output; 0: as the input"};
    Property<int> x{this,
                    "x",
                    0,
                    {-131072, 131072},
                    When::reshapes,
                    "Column of the output where the input's left edge is"};
    Property<int> y{
        this, "y", 0, {-131072, 131072}, When::reshapes, "Row of the output where the input's top edge is"};
    AddressingMode addressing_mode{this, Addressing::clamp, "Nothing: the output must not reach outside"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto out = in.with_size(width ? width.value() : in.width, height ? height.value() : in.height);
        columns_ = {-double(x), 1.0, out.width};
        rows_ = {-double(y), 1.0, out.height};
        if (addressing_mode == Addressing::none) {
            check("x", x, "width", out.width, in.width);
            check("y", y, "height", out.height, in.height);
        }
        if (in.domain == GST_TOMO_DOMAIN_SINOGRAM && reaches_out(y, out.height, in.height))
            warn("rows outside of a sinogram belong to no angle: the scan's angles are left out");
        return out;
    }

  protected:
    std::string kernel_options() const override { return addressing_mode.option(); }
    bool only_moves() const override { return true; }
    void add_arguments(Launch &launch, const Array &in) override {
        launch.add(cl_int(in.width()));
        launch.add(cl_int(in.height()));
        launch.add(cl_int{-x});
        launch.add(cl_int{-y});
    }

    EventRef scan_event(EventRef event) override { return scan_after(event, input_info(), columns_, rows_); }

  private:
    static bool reaches_out(int at, unsigned size, unsigned available) {
        return at > 0 || std::int64_t{size} - at > std::int64_t{available};
    }

    static void check(const char *place, int at, const char *extent, unsigned size, unsigned available) {
        if (reaches_out(at, size, available))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("addressing-mode=none gives no pixels outside of the input, but %s=%d and an output "
                     "%s of %u reach outside of %u: choose another mode",
                     place, at, extent, size, available));
    }

    Layout columns_{}, rows_{};
};

} // namespace

TOMO_ELEMENT(Pad)
