// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/adaptation.hpp>
#include <gst/tomo/bases/element.hpp>

#include <functional>

namespace tomo {

// The output of an element: one source pad, the order in which caps, events and arrays leave it, and the work
// that is due before the next array.
//
// Caps count as known once they have passed the pad. Sticky events and bound values follow the caps, which
// some elements know only at the end of the stream. If a flush stops any of these, they go out before the
// next array.
//
// The streaming thread calls all functions, unless a comment says otherwise.
class GST_TOMO_API OutputPort {
  public:
    // Ways to send, which differ between pads of this library and pads that a base class of GStreamer owns.
    struct Sending {
        // The caps for an array, as the peer prefers them. Throws Error where it accepts none.
        std::function<CapsRef(const ArrayInfo &)> choose_caps;
        // Returns whether the caps passed, or the pad has no peer. Not set: sends an event.
        std::function<bool(GstCaps *)> send_caps = {};
        // Takes the buffer. Not set: pushes it from the pad.
        std::function<GstFlowReturn(GstBuffer *)> push = {};
        // The base class sends caps and segment with the next buffer, so events wait for that buffer as well.
        bool events_go_with_buffers = false;
    };

    explicit OutputPort(Element &element) : element_(element) {}
    OutputPort(const OutputPort &) = delete;
    OutputPort &operator=(const OutputPort &) = delete;

    void attach(GstPad *pad, Sending sending);
    GstPad *pad() const { return pad_; }

    // Before the next array
    // ---------------------------------------------------------------------------

    // The element has to adapt to its input, its properties or its peer. From any thread.
    void demand_adaptation() { adaptation_.demand(); }
    // Demands adaptation if the property shapes the output. From any thread.
    void property_changed(const PropertyBase &property);
    // Calls `adapt` if an adaptation is due; it stays due until `adapt` has succeeded.
    template <class F>
    GstFlowReturn adapt(F adapt) {
        return adaptation_.carry_out(std::move(adapt));
    }
    // Negotiates before the next array, because the peer asked a base class of GStreamer for it. From any
    // thread.
    void renegotiate() { is_asked_ = true; }
    // In a stream that is not live, more frames may be enqueued on the device.
    void set_live(bool live) { is_live_ = live; }

    // Sends caps if they are new or the peer asked for them, then the events that waited for them. Throws
    // Error where the peer refuses them, Flushing where a flush stops them.
    void negotiate(const ArrayInfo &out);
    // Shape and format in the last caps.
    const ArrayInfo &info() const { return info_; }
    bool is_on_device() const { return is_on_device_; }

    // Events
    // -----------------------------------------------------------------------------------------

    // False if the event was lost. From any thread, if the event is not serialized.
    bool send(EventRef event);
    // Sends the scan event, unless it is null or equals the last one.
    void send_scan(EventRef event);

    // Arrays
    // -----------------------------------------------------------------------------------------

    // Call this when the commands that compute the array are enqueued. Lets the device begin, bounds the
    // enqueued work, and starts the download that the peer will need.
    void submit(const Array &array);
    GstFlowReturn push(BufferRef buffer);

    // Ends
    // ------------------------------------------------------------------------------------------

    // Before the end of the stream: sends the waiting events, where that is possible.
    void finish();
    // A flush has ended: the segment is lost, other facts are kept.
    void stop_flush();
    // The element stops.
    void reset();

  private:
    void tell_caps(const ArrayInfo &out);
    void keep(EventRef event);
    bool send_now(EventRef event);
    void send_waiting();

    Element &element_;
    GstPad *pad_ = nullptr; // owned by the element
    Sending sending_;
    Adaptation adaptation_;
    std::atomic<bool> is_asked_{false};
    ArrayInfo info_; // of the last caps
    bool has_caps_ = false;
    bool is_on_device_ = false, is_live_ = true, has_pushed_ = false;
    std::vector<EventRef> waiting_;
    EventRef sent_scan_;
};

} // namespace tomo
