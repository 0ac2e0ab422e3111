// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kept-arrays.hpp"

#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Replicate final : public Transform {
  public:
    static constexpr Info info{
        .task = "replicate",
        .klass = "Filter/Effect",
        .blurb = "Hands a stream on, and gives all of it once more at the end, or several times",
        .in = formats::all,
        .out = formats::all,
        .details =
            "The arrays pass at once; copies of them wait in the host's memory. They keep the facts about them and get new "
            "numbers; with a frame rate, times go on from those of the stream, without one the copies have none. A change "
            "of size ends the part that is repeated. `tomobuffer` holds the stream back until its end, "
            "`tomoduplicate` gives each array twice.",
        .example = "tomoread path=projections number=3 ! tomoreplicate ! tomowrite filename=twice.h5:/data",
    };

    Property<unsigned> number{this,       "number",    2,
                              {1, 32768}, When::ready, "How often the stream is given in all"};
    MemoryLimit limit{this};

    bool needs_device() const override { return false; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs * number;
    }

  protected:
    void begin(const ArrayInfo &in) override { negotiate(in); }

    GstFlowReturn take(GstBuffer *buffer) override {
        if (number > 1)
            kept_.add(buffer, input_info(), limit, at_a_time);
        given_++;
        return push_submitted(input_info(), BufferRef::referenced(buffer));
    }

    GstFlowReturn drain() override {
        const auto arrays = kept_.take();
        const bool has_rate = input_info().fps_n > 0;
        for (unsigned turn = 1; turn < number; turn++)
            for (std::size_t i = 0; i < arrays.size(); i++) {
                BufferRef copy(gst_buffer_copy(arrays[i].buffer.get()));
                GST_BUFFER_PTS(copy.get()) =
                    has_rate ? GST_BUFFER_PTS(arrays.front().buffer.get()) : GST_CLOCK_TIME_NONE;
                number_output(copy.get(), input_info(), turn * arrays.size() + i, given_++);
                if (const auto flow = push_submitted(input_info(), std::move(copy)); flow != GST_FLOW_OK)
                    return flow;
            }
        return GST_FLOW_OK;
    }

    EventRef scan_event(EventRef event) override {
        if (input_info().domain != GST_TOMO_DOMAIN_PROJECTION || number == 1)
            return event;
        Scan scan(event.get());
        scan.repeat_views(number, Scan::Order::all);
        return scan.to_event();
    }

    void clear() override {
        kept_.clear();
        given_ = 0;
    }

  private:
    static constexpr unsigned at_a_time = 4; // arrays for which memory is taken

    KeptArrays kept_;
    std::uint64_t given_ = 0;
};

} // namespace

TOMO_ELEMENT(Replicate)
