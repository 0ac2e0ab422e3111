// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/output-port.hpp>

#include <optional>

namespace tomo {

// One input and one output pad: what Filter and Reducer share. Negotiation, events and queries happen here;
// derived classes see arrays.
class GST_TOMO_API Transform : public Element {
  public:
    static GType parent_type();

    const ArrayInfo &input_info() const { return in_info_; }

    // Latency in frames of the input, for live streams.
    virtual unsigned latency() const { return 0; }
    // How many outputs come of so many inputs of this shape; nothing where that can't be said. Called by any
    // thread.
    virtual std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const {
        return inputs;
    }

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;
    void device_changed() override;

    // Inputs before this frame are dropped, until a flush or stop: somebody downstream has them already. For
    // elements that compute each output from the input of the same number alone.
    void leave_out_before(std::uint64_t frame) { first_wanted_ = frame; }

    GstFlowReturn chain(BufferRef buffer);
    gboolean sink_event(EventRef event);
    gboolean sink_query(GstQuery *query);
    gboolean src_query(GstQuery *query);
    void activate();
    void deactivate() noexcept;

  protected:
    // New input caps or a property that reshapes; throws Error on what can't be processed. What came before
    // has been given out. Where the output is known by now, it calls negotiate.
    virtual void begin(const ArrayInfo &in) = 0;
    virtual GstFlowReturn take(GstBuffer *buffer) = 0;
    // The end of the stream or of its shape: give out what is held back.
    virtual GstFlowReturn drain() { return GST_FLOW_OK; }
    // A serialized event is passing: give out what came before it and is held back only to save time.
    virtual GstFlowReturn release() { return GST_FLOW_OK; }
    // A flush or a stop: forget what came of the arrays so far.
    virtual void clear() {}
    // The same with what a base keeps of its own. Elements override clear().
    virtual void reset() { clear(); }
    // The scan's facts; may return others to be passed on, or null for none. Called when the input is known,
    // and again with the same facts when it changed.
    virtual EventRef scan_event(EventRef event) { return event; }
    // What the element has to say of its output where nothing is known of a scan; null for nothing.
    virtual EventRef own_scan_event() { return {}; }
    // For elements that learn of the scan by themselves.
    void send_scan(EventRef event) { output_.send_scan(std::move(event)); }
    virtual OutputPlace output_place() const { return OutputPlace::any; }
    // What converters to and from other media types override.
    virtual ArrayInfo info_of(const GstCaps *caps) { return ArrayInfo::from_caps(caps); }
    virtual CapsRef output_caps(GstPad *src, const ArrayInfo &out);

    void negotiate(const ArrayInfo &out) { output_.negotiate(out); }
    GstFlowReturn push(const Array &array, BufferRef buffer);
    // The same in two steps, for several buffers of one array: what computes it has been enqueued, ...
    void submit(const Array &array) { output_.submit(array); }
    // ... and now the buffers follow. The second one alone is for buffers that the element has not computed.
    GstFlowReturn push_submitted(const ArrayInfo &info, BufferRef buffer);
    bool input_may_end_anywhere() const;                      // see may_end_anywhere()
    bool input_flows_by_itself() const { return by_itself_; } // see flows_by_itself()
    std::optional<std::uint64_t> input_count() const;         // frames that come, as far as upstream knows
    // As after a reshaping property: begin() before the next frame. For live properties that need it.
    void reshape() { output_.demand_adaptation(); }
    // The peer is asked anew which caps it likes best, before the next frame.
    void renegotiate() { output_.renegotiate(); }
    const GstSegment &segment() const { return segment_; }

  private:
    bool start_flush(EventRef event);
    bool stop_flush(EventRef event);
    bool set_caps(GstEvent *event);
    bool end(EventRef event);
    void adapt_to_input();
    bool count_query(GstQuery *query);

    GstPad *sink_ = nullptr;
    OutputPort output_{*this};
    mutable std::mutex info_lock_; // for in_info_, which queries read
    ArrayInfo in_info_;
    bool has_input_ = false;
    bool by_itself_ = false;
    std::atomic<std::uint64_t> first_wanted_{0};
    std::atomic<GstClockTime> own_latency_{0};
    GstSegment segment_;
    EventRef scan_; // as it came
};

} // namespace tomo
