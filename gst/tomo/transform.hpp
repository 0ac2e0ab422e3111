// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/element.hpp>

namespace tomo {

// One input and one output pad: what Filter and Reducer share. Negotiation, events and queries happen here;
// derived classes see arrays.
class GST_TOMO_API Transform : public Element {
  public:
    static GType parent_type();

    const ArrayInfo &input_info() const { return in_info_; }

    // Latency in frames of the input, for live streams.
    virtual unsigned latency() const { return 0; }

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;

    GstFlowReturn chain(BufferRef buffer);
    gboolean sink_event(EventRef event);
    gboolean sink_query(GstQuery *query);
    gboolean src_query(GstQuery *query);
    void activated(bool active);

  protected:
    // New input caps or a property that reshapes; throws Error on what can't be processed. Where the output is
    // known by now, it calls negotiate.
    virtual void input_changed() = 0;
    virtual GstFlowReturn take(GstBuffer *buffer) = 0;
    // The end of the stream: give out what is held back.
    virtual GstFlowReturn drain() { return GST_FLOW_OK; }
    // A flush or a stop: forget what is held back.
    virtual void reset() {}
    // The scan's facts; may return others to be passed on, or null for none.
    virtual EventRef scan_event(EventRef event) { return event; }
    virtual OutputPlace output_place() const { return OutputPlace::any; }

    void negotiate(const ArrayInfo &out);
    GstFlowReturn push(const Array &array, BufferRef buffer);
    void sync_properties(GstBuffer *buffer);
    const GstSegment &segment() const { return segment_; }

  private:
    gboolean sink_caps(EventRef event);
    gboolean forward(EventRef event);

    GstPad *sink_ = nullptr, *src_ = nullptr;
    ArrayInfo in_info_, out_info_;
    bool has_input_ = false, has_output_ = false;
    bool output_on_device_ = false;
    std::atomic<bool> reshape_{false};
    GstSegment segment_;
    std::vector<EventRef> pending_; // serialized events that wait for the output's caps
};

} // namespace tomo
