// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "repeated-arrays.hpp"

using namespace tomo;

namespace {

class Duplicate final : public RepeatedArrays {
  public:
    static constexpr Info info{
        .task = "duplicate",
        .klass = "Filter/Effect",
        .blurb = "Gives each array twice",
        .in = formats::all,
        .out = formats::all,
        .details =
            "The arrays are not copied, and keep the facts about them; the frame rate is doubled. `tomoloop` gives "
            "any number of each, `tomoreplicate` the whole stream twice.",
        .example = "tomoread path=slice.tif ! tomoduplicate ! tomowrite filename=slices.h5:/data",
    };

  protected:
    unsigned times() const override { return 2; }
};

} // namespace

TOMO_ELEMENT(Duplicate)
