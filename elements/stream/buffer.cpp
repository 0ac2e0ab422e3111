// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kept-arrays.hpp"

#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Buffer final : public Transform {
  public:
    static constexpr Info info{
        .task = "buffer",
        .klass = "Filter/Effect",
        .blurb =
            "Keeps a whole stream in the host's memory and gives it out at the end, once or several times",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(Arrays keep the facts about them and get new numbers. With a frame rate, times go on from that of
the first array; without one, only the first copy of each array has a time. A stream that does not fit into
`limit` is an error.)",
        .example = "tomoread path=slice.tif ! tomobuffer dup-count=3 ! tomowrite filename=slices.h5:/data",
    };

    Property<unsigned> number{this,       "number",    4,
                              {1, 32768}, When::ready, "Arrays for which memory is taken at a time"};
    Property<unsigned> dup_count{this,       "dup-count", 1,
                                 {1, 32768}, When::ready, "How often each array is given"};
    Property<bool> loop{this, "loop", false, When::ready, "Repeat the stream rather than each of its arrays"};
    MemoryLimit limit{this};

    bool needs_device() const override { return false; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs * dup_count;
    }

  protected:
    void begin(const ArrayInfo &in) override { negotiate(in); }

    GstFlowReturn take(GstBuffer *buffer) override {
        kept_.add(buffer, input_info(), limit, number);
        return GST_FLOW_OK;
    }

    EventRef scan_event(EventRef event) override {
        if (input_info().domain != GST_TOMO_DOMAIN_PROJECTION || dup_count == 1)
            return event;
        Scan scan(event.get());
        scan.repeat_views(dup_count, loop ? Scan::Order::all : Scan::Order::each);
        return scan.to_event();
    }

    GstFlowReturn drain() override {
        const auto items = kept_.take();
        const std::uint64_t total = items.size() * dup_count;
        for (std::uint64_t i = 0; i < total; i++) {
            const auto &item = items[loop ? i % items.size() : i / dup_count].buffer;
            const bool is_first = loop ? i < items.size() : i % dup_count == 0;
            BufferRef copy(gst_buffer_copy(item.get()));
            const bool has_rate = input_info().fps_n > 0;
            if (has_rate)
                GST_BUFFER_PTS(copy.get()) = GST_BUFFER_PTS(items[0].buffer.get());
            else if (!is_first)
                GST_BUFFER_PTS(copy.get()) = GST_CLOCK_TIME_NONE;
            number_output(copy.get(), input_info(), i, given_++);
            if (const auto flow = push_submitted(input_info(), std::move(copy)); flow != GST_FLOW_OK)
                return flow;
        }
        return GST_FLOW_OK;
    }

    void clear() override {
        kept_.clear();
        given_ = 0;
    }

  private:
    KeptArrays kept_;
    std::uint64_t given_ = 0;
};

} // namespace

TOMO_ELEMENT(Buffer)
