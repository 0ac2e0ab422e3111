// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Upload final : public Filter {
  public:
    static constexpr Info info{
        .task = "upload",
        .klass = "Filter/Converter",
        .blurb =
            "Brings arrays to the device at a chosen place of the line; elements that compute do so themselves",
        .in = formats::all,
        .out = formats::all,
        .details =
            "Elements of gst-tomo do not need it. With a `queue` behind it, transfers have a thread of "
            "their own.",
        .example =
            "tomoread path='projections/*.tif' ! tomoupload ! queue ! tomocalculate expression='-log(v)' "
            "! tomowrite filename=attenuation.tif",
    };

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    OutputPlace output_place() const override { return OutputPlace::device; }

    Array apply(const Array &in) override {
        in.storage()->read(queue()); // starts the transfer
        cl_check(clFlush(device()->upload_queue()), "starting an upload");
        return in;
    }
};

} // namespace

TOMO_ELEMENT(Upload)
