// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

class Upload final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "upload",
        "Filter/Converter",
        "Brings arrays to the device at a chosen place of the line; elements that compute do so themselves",
        tomo::formats::all,
        tomo::formats::all,
        "Elements of gst-tomo do not need it. With a `queue` behind it, transfers have a thread of their "
        "own.",
        "tomoread path='projections/*.tif' ! tomoupload ! queue ! tomocalculate expression='-log(v)' ! "
        "tomowrite filename=attenuation.tif"};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override { return in; }

  protected:
    tomo::OutputPlace output_place() const override { return tomo::OutputPlace::device; }

    tomo::Array apply(const tomo::Array &in) override {
        in.storage()->read(queue()); // starts the transfer
        tomo::cl_check(clFlush(device()->upload_queue()), "starting an upload");
        return in;
    }
};

} // namespace

TOMO_ELEMENT(Upload)
