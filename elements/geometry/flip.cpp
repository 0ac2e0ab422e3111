// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

namespace {

enum class Direction { horizontal, vertical };

class Flip final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "flip",
        "Filter/Effect",
        "Mirrors each plane",
        tomo::formats::all,
        tomo::formats::all,
        R"(The axis of a scan at a becomes W - a. The angles stay: slices of mirrored projections come out
rotated by 180 degrees.)",
        "tomoread path=slice.tif ! tomoflip direction=vertical ! tomowrite filename=flipped.tif"};

    tomo::Choice<Direction> direction{this,
                                      "direction",
                                      "Sides that change places",
                                      Direction::horizontal,
                                      {{Direction::horizontal, "horizontal", "Left and right"},
                                       {Direction::vertical, "vertical", "Top and bottom"}},
                                      tomo::When::reshapes};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        input_size("in", in.sample_size());
        kernel("flip");
        return in;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("flip"), tomo::WorkSize(out.info()), in, out, cl_int{direction == Direction::vertical});
    }

  protected:
    tomo::EventRef scan_event(tomo::EventRef event) override {
        const auto &in = input_info();
        const tomo::Layout columns{0.0, 1.0, in.width}, rows{0.0, 1.0, in.height};
        return direction == Direction::horizontal ? tomo::scan_after(event, in, columns.mirrored(), rows)
                                                  : tomo::scan_after(event, in, columns, rows.mirrored());
    }
};

} // namespace

TOMO_ELEMENT(Flip)
