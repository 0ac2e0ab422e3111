// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/support/lettering.hpp>

using namespace tomo;

namespace {

class StampElement final : public Filter {
  public:
    static constexpr Info info{
        .task = "stamp",
        .klass = "Filter/Effect",
        .blurb = "Writes the number of each array into its upper left corner",
        .details =
            R"(The number has six digits, from 000000 for the first array of a stream. Ink of coverage c, 0 to
1, adds c times `scale` to a pixel; digits that do not fit are cut. Pango and Cairo draw them.)",
        .example = "tomoread path=projections number=3 ! tomostamp font=\"Mono 12\" scale=2 ! tomowrite "
                   "filename=numbered.h5:/data",
    };

    Property<std::string> font{this, "font", "Mono 9",
                               "Font as Pango describes it: family, style and size in points"};
    Property<float> scale{this, "scale", 1.0f, {-FLT_MAX, FLT_MAX}, "Value that full ink adds to a pixel"};

    void process(const Array &in, Array &out) override {
        const auto number = ink_of(text("%06" G_GUINT64_FORMAT, frame_index()), font);
        const auto ink = upload(number.coverage);
        launch(kernel("stamp"), WorkSize(out.info()), in, out, BareBuffer{ink}, cl_uint{number.width},
               cl_uint{number.height}, scale.value());
    }
};

} // namespace

TOMO_ELEMENT(StampElement)
