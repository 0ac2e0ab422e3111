// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kept-arrays.hpp"

#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/transform.hpp>

using namespace tomo;

namespace {

class Refeed final : public Transform {
  public:
    static constexpr Info info{
        .task = "refeed",
        .klass = "Filter/Effect",
        .blurb = "Hands a stream on, and gives the same arrays again when the pipeline runs once more",
        .in = formats::all,
        .out = formats::all,
        .details =
            "The first time, arrays pass; copies of them stay in the host's memory. Once that stream has come to its end, "
            "each later run, after READY or PAUSED with a flush, gives the copies when the first array comes, and ends "
            "the stream in front, which so computes one array alone: properties of the elements behind can be tried without "
            "what is in front of this element. A run that was stopped before its end is forgotten. The copies stay until the "
            "element goes to NULL.",
        .example = "tomoread path=projections number=3 ! tomorefeed ! tomowrite filename=images.h5:/data",
    };

    MemoryLimit limit{this};

    bool needs_device() const override { return false; }

  protected:
    void begin(const ArrayInfo &in) override {
        if (!is_whole_)
            negotiate(in);
    }

    GstFlowReturn take(GstBuffer *buffer) override {
        if (is_whole_)
            return feed();
        kept_.add(buffer, input_info(), limit, at_a_time);
        return push_submitted(input_info(), BufferRef::referenced(buffer));
    }

    bool takes_any_shape() const override { return true; }
    GstFlowReturn drain() override {
        is_whole_ = !kept_.arrays().empty();
        return GST_FLOW_OK;
    }

    void clear() override {
        if (!is_whole_)
            kept_.clear();
    }

  private:
    static constexpr unsigned at_a_time = 4; // arrays for which memory is taken

    GstFlowReturn feed() {
        for (const auto &array : kept_.arrays())
            if (const auto flow = push_submitted(array.info, BufferRef(gst_buffer_copy(array.buffer.get())));
                flow != GST_FLOW_OK)
                return flow;
        return GST_FLOW_EOS;
    }

    KeptArrays kept_;
    bool is_whole_ = false; // what is kept is a stream up to its end
};

} // namespace

TOMO_ELEMENT(Refeed)
