// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/output-port.hpp>

#include <optional>

namespace tomo {

class SideInput;

// One input and one output pad: the common part of Filter and Reducer. This class handles negotiation, events
// and queries; derived classes see arrays.
class GST_TOMO_API Transform : public Element {
  public:
    static GType parent_type();

    const ArrayInfo &input_info() const { return in_info_; }

    // Latency in frames of the input, for live streams.
    virtual unsigned latency() const { return 0; }
    // Number of outputs for this number of inputs of this shape; empty if it is not known. Called by any
    // thread.
    virtual std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const {
        return inputs;
    }

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;
    void device_changed() override;

    bool is_result_wanted() const final;

    // Drops inputs before this frame, until a flush or stop, because a sink already has their results. For
    // elements that compute each output only from the input of the same number.
    void leave_out_before(std::uint64_t frame) { first_wanted_ = frame; }

    void add(SideInput *input) { side_inputs_.push_back(input); }
    const std::vector<SideInput *> &side_inputs() const { return side_inputs_; }
    using Element::add;
    GstPad *request_pad(GstPadTemplate *templ);
    void release_pad(GstPad *pad);
    gboolean src_event(GstPad *src, EventRef event);

    GstFlowReturn chain(BufferRef buffer);
    gboolean sink_event(EventRef event);
    gboolean sink_query(GstQuery *query);
    gboolean src_query(GstQuery *query);
    void activate();
    void deactivate() noexcept;

  protected:
    // New input caps, or a change of a reshaping property. Throws Error on an input that can't be processed.
    // Earlier arrays have been drained. If the output is known now, begin() calls negotiate().
    virtual void begin(const ArrayInfo &in) = 0;
    virtual GstFlowReturn take(GstBuffer *buffer) = 0;
    // The end of the stream or of its shape: pushes the arrays that are held back.
    virtual GstFlowReturn drain() { return GST_FLOW_OK; }
    // Whether arrays of any shape belong together, as lists do: then drain() is for the end of the stream
    // alone.
    virtual bool takes_any_shape() const { return false; }
    // A serialized event passes: pushes the earlier arrays that are held back only to save time.
    virtual GstFlowReturn release() { return GST_FLOW_OK; }
    // A serialized event has come, and nothing is done about it yet.
    virtual void sees(GstEvent *) {}
    // A flush or a stop: discards the state from the arrays so far.
    virtual void clear() {}
    // The same, including the state of the bases. Elements override clear().
    virtual void reset() { clear(); }
    // Returns the scan event to send, from that of the input, or null for none. Called when the input is
    // known, and again with the same event when the input changes.
    virtual EventRef scan_event(EventRef event) { return event; }
    // The scan event of an element whose input has none; null for none.
    virtual EventRef own_scan_event() { return {}; }
    // For elements that find facts of the scan by themselves.
    void send_scan(EventRef event) { output_.send_scan(std::move(event)); }
    virtual OutputPlace output_place() const { return OutputPlace::any; }
    // The first frame whose result no sink has, as far as one has said so.
    std::uint64_t first_wanted() const { return first_wanted_; }
    // Converters to and from other media types override these two.
    virtual ArrayInfo info_of(const GstCaps *caps) { return ArrayInfo::from_caps(caps); }
    virtual CapsRef output_caps(GstPad *src, const ArrayInfo &out);

    void negotiate(const ArrayInfo &out) { output_.negotiate(out); }
    GstFlowReturn push(const Array &array, BufferRef buffer);
    // push() in two steps, for several buffers of one array. First submit(), once the commands that compute
    // it are enqueued, ...
    void submit(const Array &array) { output_.submit(array); }
    // ... then push_submitted() for each buffer. Buffers that the element has not computed need only the
    // second step.
    GstFlowReturn push_submitted(const ArrayInfo &info, BufferRef buffer);
    bool input_may_end_anywhere() const;                      // see may_end_anywhere()
    bool input_flows_by_itself() const { return by_itself_; } // see flows_by_itself()
    std::optional<std::uint64_t> input_count() const;         // frames that come, as far as upstream knows
    // Calls begin() before the next frame, as after a change of a reshaping property. For live properties
    // that need it.
    void reshape() { output_.demand_adaptation(); }
    // Asks the peer again for its preferred caps, before the next frame.
    void renegotiate() { output_.renegotiate(); }
    const GstSegment &segment() const { return segment_; }

  private:
    GstFlowReturn end_shape() { return takes_any_shape() ? GST_FLOW_OK : drain(); }
    bool start_flush(EventRef event);
    bool stop_flush(EventRef event);
    bool set_caps(GstEvent *event);
    bool end(EventRef event);
    void adapt_to_input();
    GstFlowReturn guard_stream(const std::function<GstFlowReturn()> &f) noexcept;
    bool count_query(GstQuery *query);

    std::vector<SideInput *> side_inputs_; // members of the element
    GstPad *sink_ = nullptr;
    OutputPort output_{*this};
    mutable std::mutex info_lock_; // for in_info_, which queries read
    ArrayInfo in_info_;
    bool has_input_ = false;
    bool by_itself_ = false;
    std::atomic<std::uint64_t> first_wanted_{0};
    std::atomic<GstClockTime> own_latency_{0};
    std::atomic<bool> has_left_out_{false}; // arrays were given up, because somebody had ended the stream
    mutable gint64 asked_for_end_ = 0;      // is_ending_early(), in microseconds
    GstSegment segment_;
    EventRef scan_; // as received
};

} // namespace tomo
