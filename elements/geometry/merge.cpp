// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Merge final : public Joiner {
  public:
    static constexpr Info info{
        .task = "merge",
        .klass = "Filter/Effect",
        .blurb = "Puts the rows of several inputs one below the other",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(The rows follow in the order of the inputs' numbers. Widths, depths and formats have to agree,
heights may differ; plane z of the output has the rows of plane z of each input. An input that has ended
repeats its last array until all have ended. Rows of merged sinograms belong to no list of angles: the
scan's angles are left out.)",
        .example = "tomoread path=projections ! m.sink_0  tomoread path=projections ! tomoflip "
                   "direction=vertical ! m.sink_1  tomomerge name=m ! tomowrite filename=merged.h5:/data",
    };

    Property<unsigned> number{this, "number", 2, {2, 16}, When::ready, "Inputs"};

    std::vector<Input> inputs() const override { return {}; }
    unsigned numbered_inputs() const override { return number; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        std::uint64_t height = 0;
        for (std::size_t i = 0; i < in.size(); i++) {
            if (in[i].format != in[0].format || in[i].width != in[0].width || in[i].depth != in[0].depth)
                throw Error(GST_STREAM_ERROR_FORMAT,
                            text("sink_%zu gives %s, but sink_0 gives %s; wanted the same format, "
                                 "width and depth",
                                 i, in[i].describe().c_str(), in[0].describe().c_str()));
            height += in[i].height;
        }
        if (height > G_MAXINT)
            throw Error(GST_STREAM_ERROR_FORMAT, "the inputs have too many rows to be merged");
        domain_ = in[0].domain;
        return in[0].with_size(in[0].width, height);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const auto plane_size = [](const Array &array) {
            return array.info().plane_samples() * array.info().sample_size();
        };
        std::size_t at = 0;
        for (const auto &array : in) {
            const auto size = plane_size(array);
            copy_rows(array, {0, size}, out, {at, plane_size(out)}, size, array.depth());
            at += size;
        }
    }

  protected:
    EventRef scan_event(EventRef event) override {
        Scan scan(event.get());
        scan.forget_rows(domain_);
        return scan.to_event();
    }

  private:
    GstTomoDomain domain_ = GST_TOMO_DOMAIN_UNKNOWN;
};

} // namespace

TOMO_ELEMENT(Merge)
