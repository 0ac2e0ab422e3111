// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "repeated-arrays.hpp"

using namespace tomo;

namespace {

class Loop final : public RepeatedArrays {
  public:
    static constexpr Info info{
        .task = "loop",
        .klass = "Filter/Effect",
        .blurb = "Gives each array several times",
        .in = formats::all,
        .out = formats::all,
        .details = R"(The arrays are not copied, and keep the facts about them; the frame rate is multiplied.
`tomobuffer` with `loop` repeats whole streams.)",
        .example = "tomoread path=slice.tif ! tomoloop number=3 ! tomowrite filename=slices.h5:/data",
    };

    Property<unsigned> number{this, "number", 1, When::reshapes,
                              "How often each array is given; 0: not at all"};

  protected:
    unsigned times() const override { return number; }
};

} // namespace

TOMO_ELEMENT(Loop)
