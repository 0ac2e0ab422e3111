// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

// The base starts the transfer of what goes out under plain caps; whoever maps it waits for the end.
class Download final : public Filter {
  public:
    static constexpr Info info{
        .task = "download",
        .klass = "Filter/Converter",
        .blurb =
            "Brings arrays to the host, for elements that take any caps but can't use device memory, such "
            "as gdppay",
        .in = formats::all,
        .out = formats::all,
        .details =
            "Elements of gst-tomo do not need it between them. The transfer begins as soon as the array "
            "is computed, while the device computes the next array.",
        .example = "tomoread path=slice.tif ! tomocalculate expression='v * 2' ! tomodownload ! gdppay ! "
                   "filesink location=slice.gdp",
    };

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    OutputPlace output_place() const override { return OutputPlace::host; }
    Array apply(const Array &in) override { return in; }
};

} // namespace

TOMO_ELEMENT(Download)
