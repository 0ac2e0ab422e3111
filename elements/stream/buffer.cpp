// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/geometry/scan.hpp>
#include <gst/tomo/support/host-memory.hpp>

#include <algorithm>

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
    Property<std::uint64_t> limit{this,         "limit",
                                  Automatic{0}, {0, G_MAXUINT64},
                                  When::ready,  "Bytes of memory at most; 0: half of the machine's"};

    bool needs_device() const override { return false; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs * dup_count;
    }

  protected:
    void begin(const ArrayInfo &in) override { negotiate(in); }

    GstFlowReturn take(GstBuffer *buffer) override {
        const auto size = input_info().size();
        if (room_ < size)
            take_block(size);
        char *place = block_.get() + (block_size_ - room_);
        room_ -= size;
        copy_packed(buffer, input_info(), place);
        // A read-only view, which keeps its block.
        auto owner = std::make_unique<std::shared_ptr<char>>(block_);
        BufferRef item(gst_buffer_new());
        gst_buffer_append_memory(
            item.get(),
            gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, place, size, 0, size, owner.release(),
                                   [](gpointer o) { delete static_cast<std::shared_ptr<char> *>(o); }));
        copy_frame_metadata(buffer, item.get(), Pixels::same);
        items_.push_back(std::move(item));
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
        const auto items = std::exchange(items_, {});
        forget();
        const std::uint64_t total = items.size() * dup_count;
        for (std::uint64_t i = 0; i < total; i++) {
            const auto &item = items[loop ? i % items.size() : i / dup_count];
            const bool is_first = loop ? i < items.size() : i % dup_count == 0;
            BufferRef copy(gst_buffer_copy(item.get()));
            const bool has_rate = input_info().fps_n > 0;
            if (has_rate)
                GST_BUFFER_PTS(copy.get()) = GST_BUFFER_PTS(items[0].get());
            else if (!is_first)
                GST_BUFFER_PTS(copy.get()) = GST_CLOCK_TIME_NONE;
            number_output(copy.get(), input_info(), i, given_++);
            if (const auto flow = push_submitted(input_info(), std::move(copy)); flow != GST_FLOW_OK)
                return flow;
        }
        return GST_FLOW_OK;
    }

    void clear() override {
        forget();
        given_ = 0;
    }

  private:
    void forget() {
        items_.clear();
        block_.reset();
        room_ = block_size_ = taken_ = 0;
    }

    void take_block(std::uint64_t size) {
        const std::uint64_t most = limit ? limit.value() : host_memory() / 2;
        const auto count = std::min<std::uint64_t>(number, (most - std::min(taken_, most)) / size);
        block_.reset(count ? static_cast<char *>(g_try_malloc(count * size)) : nullptr, g_free);
        if (!block_)
            throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                        text("no memory for array %zu of %s: %" G_GUINT64_FORMAT
                             " bytes are taken and limit=%" G_GUINT64_FORMAT " allows %" G_GUINT64_FORMAT,
                             items_.size() + 1, input_info().describe().c_str(), taken_, limit.value(),
                             most));
        room_ = block_size_ = count * size;
        taken_ += block_size_;
    }

    std::vector<BufferRef> items_;
    std::shared_ptr<char> block_;                         // that is being filled
    std::uint64_t room_ = 0, block_size_ = 0, taken_ = 0; // bytes
    std::uint64_t given_ = 0;
};

} // namespace

TOMO_ELEMENT(Buffer)
