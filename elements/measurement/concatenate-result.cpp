// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ring-list.hpp"

#include <gst/tomo/bases/negotiation.hpp>

#include <algorithm>
#include <utility>

using namespace tomo;

namespace {

class ConcatenateResult final : public Transform {
  public:
    static constexpr Info info{
        .task = "concatenate-result",
        .klass = "Filter/Effect",
        .blurb = "Joins the lists of rings that were found in one image, one for each radius",
        .in = formats::float32,
        .details =
            "`ring-count` lists that follow each other become one, as of an image that was correlated with this many rings. "
            "Of a list with more than `max-count` rings none is taken, because so many are found in noise; an information "
            "tells which. The end of the stream completes the last list. `tomofilterparticle` has the form of lists.",
        .example = "tomoread path=volume.h5:/volume ! tomoslice ! tomofilterparticle min=0 threshold=0.5 ! "
                   "tomoconcatenateresult ring-count=2 ! tomoringwriter filename=particles.txt",
    };

    Property<unsigned> max_count{this, "max-count", 60, {1, G_MAXUINT}, "Most rings of a list that is taken"};
    Property<unsigned> ring_count{this, "ring-count", Automatic{0}, When::ready,
                                  "Lists that become one; 0: all of the stream"};

    bool needs_device() const override { return false; }
    unsigned latency() const override { return ring_count ? ring_count - 1 : 0; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return ring_count ? (inputs + ring_count - 1) / ring_count : (inputs > 0);
    }

  protected:
    void begin(const ArrayInfo &in) override { check_ring_list(in); }

    GstFlowReturn take(GstBuffer *buffer) override {
        const auto rings = rings_of(buffer, input_info(), lists_++);
        if (!facts_) {
            facts_ = BufferRef(gst_buffer_new());
            copy_frame_metadata(buffer, facts_.get());
        }
        if (rings.size() > max_count)
            inform(text("list %" G_GUINT64_FORMAT
                        " has %zu rings, more than max-count=%u: none of them is taken",
                        lists_ - 1, rings.size(), max_count.value()));
        else
            rings_.insert(rings_.end(), rings.begin(), rings.end());
        return ++joined_ == ring_count ? give() : GST_FLOW_OK;
    }

    bool takes_any_shape() const override { return true; }
    GstFlowReturn drain() override { return facts_ ? give() : GST_FLOW_OK; }

    void clear() override {
        facts_ = {};
        rings_.clear();
        lists_ = joined_ = 0;
    }

  private:
    GstFlowReturn give() {
        auto list = list_of(rings_);
        copy_frame_metadata(std::exchange(facts_, {}).get(), list.get());
        const auto info = list_info(std::exchange(rings_, {}), input_info())
                              .with_rate_times(1, std::max(ring_count.value(), 1u));
        joined_ = 0;
        return push_submitted(info, std::move(list));
    }

    BufferRef facts_; // of the set's first list
    std::vector<Ring> rings_;
    std::uint64_t lists_ = 0, joined_ = 0;
};

} // namespace

TOMO_ELEMENT(ConcatenateResult)
