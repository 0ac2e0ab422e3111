// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/element.hpp>

#include <gst/base/gstaggregator.h>

namespace tomo {

// Several inputs, one output, one array of each per output.
//
// Named inputs: the first one is the main input, which gives times and metas and ends the stream. Numbered
// inputs (sink_0, sink_1, ...): the stream ends when all have ended. An input that ended repeats its last
// array; one that ends without any is an error.
class GST_TOMO_API Joiner : public Element {
  public:
    static GType parent_type();

    struct Input {
        const char *name;
        bool optional = false;
    };
    // Empty for numbered inputs.
    virtual std::vector<Input> inputs() const = 0;

    // Shape of the output from those of the inputs, in their order; an optional input that is not linked has
    // format UNKNOWN. Throws Error on what does not fit together.
    virtual ArrayInfo shape(const std::vector<ArrayInfo> &in) = 0;
    // Kernels' arrays have the types of the inputs of the same name, "in0", "in1", ... for numbered ones.
    virtual void process(const std::vector<Array> &in, Array &out) = 0;
    // The stream is complete.
    virtual void finish() {}

    // For shape(): throws Error unless all inputs have one size and are all real or all complex.
    static void check_equal(const std::vector<ArrayInfo> &in);

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;

    bool activate();
    void deactivate();
    void flush();
    GstAggregatorPad *create_pad(GstPadTemplate *templ, const char *name);
    void release_pad(GstPad *pad);
    gboolean sink_event(GstAggregatorPad *pad, EventRef event);
    gboolean sink_query(GstAggregatorPad *pad, GstQuery *query);
    bool src_query(GstQuery *query);
    bool seek(EventRef event);
    GstFlowReturn aggregate(bool timeout);
    // In a live stream: when to give up waiting for inputs that may repeat themselves.
    GstClockTime next_time();

  private:
    struct Port {
        std::string name;
        bool optional = false;
        GstAggregatorPad *pad = nullptr; // owned by the element
        ArrayInfo info;
        bool has_info = false;
        Array last;
    };
    bool is_numbered() const { return inputs().empty(); }
    Port *port(GstAggregatorPad *pad);
    std::vector<ObjectRef<GstPad>> linked_pads();
    void negotiate(const std::vector<ArrayInfo> &infos);
    // Whether every input has an array for the next output.
    bool gather(bool timeout, bool &ended);
    // Takes the next array of each input; returns the buffer that gives times and metas.
    BufferRef take_inputs(std::vector<Array> &in, std::vector<ArrayInfo> &infos);

    GstAggregator *aggregator() const { return reinterpret_cast<GstAggregator *>(gst()); }

    std::mutex ports_lock_; // pads come and go from the application's threads
    std::vector<std::unique_ptr<Port>> ports_;
    std::atomic<bool> renegotiate_{true};
    std::vector<ArrayInfo> in_infos_; // that the output was negotiated for
    ArrayInfo out_info_;
    bool output_on_device_ = false;
    std::vector<EventRef> scan_events_;
};

} // namespace tomo
