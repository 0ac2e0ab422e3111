// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Unsplit final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "unsplit",
        .klass = "Filter/Effect",
        .blurb =
            "Puts the planes of an array into one, interleaved: the N samples of a pixel become N columns",
        .in = formats::all,
        .out = formats::all,
        .details =
            "out[y, N x + z] = in[z, y, x]. Three planes of colours become one plane with the colours of "
            "each pixel side by side, as other programs read them.",
        .example =
            "tomoread path=slice.tif ! tomomapcolor ! tomounsplit ! tomowrite filename=interleaved.raw "
            "bits=8 rescale=false",
    };

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto width = std::uint64_t{in.width} * in.depth;
        if (width > G_MAXINT)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s has too many columns side by side: %" G_GUINT64_FORMAT ", at most %d can be",
                             in.describe().c_str(), width, G_MAXINT));
        return in.with_size(width, in.height, 1);
    }

  protected:
    bool only_moves() const override { return true; }
    void add_arguments(Launch &launch, const Array &in) override { launch.add(cl_uint{in.depth()}); }

    EventRef scan_event(EventRef event) override {
        const auto &in = input_info();
        return scan_after(event, in, {0.0, double(in.depth), in.width * in.depth}, {0.0, 1.0, in.height});
    }
};

} // namespace

TOMO_ELEMENT(Unsplit)
