// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

// The base starts the transfer of what goes out under plain caps; whoever maps it waits for the end.
class Download final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{"download",
                                     "Filter/Converter",
                                     "Brings arrays to the host, for elements that take any caps but can't "
                                     "use device memory, such as gdppay",
                                     tomo::formats::all,
                                     tomo::formats::all,
                                     "Elements of gst-tomo do not need it between them. The transfer begins "
                                     "as soon as the array is computed, while the device computes the next "
                                     "array.",
                                     "tomoread path=slice.tif ! tomocalculate expression='v * 2' ! "
                                     "tomodownload ! gdppay ! filesink location=slice.gdp"};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override { return in; }

  protected:
    tomo::OutputPlace output_place() const override { return tomo::OutputPlace::host; }
    tomo::Array apply(const tomo::Array &in) override { return in; }
};

} // namespace

TOMO_ELEMENT(Download)
