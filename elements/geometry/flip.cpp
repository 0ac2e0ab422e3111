// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

enum class Direction { horizontal, vertical };

class Flip final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "flip",
        .klass = "Filter/Effect",
        .blurb = "Mirrors each plane",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(The axis of a scan at a becomes W - a. The angles stay: slices of mirrored projections come out
rotated by 180 degrees.)",
        .example = "tomoread path=slice.tif ! tomoflip direction=vertical ! tomowrite filename=flipped.tif",
    };

    Choice<Direction> direction{this,
                                "direction",
                                Direction::horizontal,
                                {{Direction::horizontal, "horizontal", "Left and right"},
                                 {Direction::vertical, "vertical", "Top and bottom"}},
                                When::reshapes,
                                "Sides that change places"};

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    bool only_moves() const override { return true; }
    void add_arguments(Launch &launch, const Array &) override {
        launch.add(cl_int{direction == Direction::vertical});
    }

    EventRef scan_event(EventRef event) override {
        const auto &in = input_info();
        const Layout columns{0.0, 1.0, in.width}, rows{0.0, 1.0, in.height};
        return direction == Direction::horizontal ? scan_after(event, in, columns.mirrored(), rows)
                                                  : scan_after(event, in, columns, rows.mirrored());
    }
};

} // namespace

TOMO_ELEMENT(Flip)
