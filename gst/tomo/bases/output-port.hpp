// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/adaptation.hpp>
#include <gst/tomo/bases/element.hpp>

#include <functional>

namespace tomo {

// The way out of an element: one source pad, with the order in which caps, events and arrays leave it, and
// with all that is still to be done before the next array.
//
// Caps count as known when they have got through. Sticky events and bound values follow the caps, which some
// elements know only at the end of the stream. A flush may keep any of these from getting through; they go
// out before the next array then.
//
// Everything is called by the streaming thread, if nothing else is said.
class GST_TOMO_API OutputPort {
  public:
    // Differs between pads that elements push from themselves and those that a base of GStreamer's owns.
    struct Route {
        // The caps to send for an array, as the peer likes them. Throws Error where it takes none.
        std::function<CapsRef(const ArrayInfo &)> choose_caps;
        // Whether the caps got through, or nobody is linked. Not set: as an event.
        std::function<bool(GstCaps *)> send_caps = {};
        // Takes the buffer. Not set: by the pad.
        std::function<GstFlowReturn(GstBuffer *)> push = {};
        // The base sends caps and segment with the next buffer, so events wait for that as well.
        bool events_go_with_buffers = false;
    };

    explicit OutputPort(Element &element) : element_(element) {}
    OutputPort(const OutputPort &) = delete;
    OutputPort &operator=(const OutputPort &) = delete;

    void attach(GstPad *pad, Route route);
    GstPad *pad() const { return pad_; }

    // Before the next array
    // ---------------------------------------------------------------------------

    // The element has to adapt to its input, its properties or its peer. From any thread.
    void demand_adaptation() { adaptation_.demand(); }
    // Does so where a property that shapes the output has changed. From any thread.
    void property_changed(const PropertyBase &property);
    // Runs `adapt` if there is something to do; it stays to be done until it has been done to its end.
    template <class F>
    GstFlowReturn adapt(F adapt) {
        return adaptation_.carry_out(std::move(adapt));
    }
    // The peer asks for caps anew, and a base of GStreamer's was told. From any thread.
    void renegotiate() { is_asked_ = true; }
    // Where nobody waits for single frames, more of them may be enqueued on the device.
    void set_live(bool live) { is_live_ = live; }

    // Sends caps if these are news or the peer asks for them, and what waited for them. Throws Error where
    // they are refused, Flushing where a flush keeps them from getting through.
    void negotiate(const ArrayInfo &out);
    bool has_caps() const { return has_caps_; }
    // As the last caps say.
    const ArrayInfo &info() const { return info_; }
    bool is_on_device() const { return is_on_device_; }

    // Events
    // -----------------------------------------------------------------------------------------

    // False where it was lost.
    bool send(EventRef event);
    // The scan's facts, if there are any and they are not those that were sent last.
    void send_scan(EventRef event);

    // Arrays
    // -----------------------------------------------------------------------------------------

    // What computes the array has been enqueued: lets the device begin, bounds what is enqueued, and begins
    // the download that the peer will ask for.
    void submit(const Array &array);
    GstFlowReturn push(BufferRef buffer);

    // Ends
    // ------------------------------------------------------------------------------------------

    // The end of the stream is about to be sent: what waits goes out before, where that is possible.
    void finish();
    // A flush has ended: its segment is gone, other facts are not.
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
    Route route_;
    Adaptation adaptation_;
    std::atomic<bool> is_asked_{false};
    ArrayInfo info_; // of the last caps
    std::atomic<bool> has_caps_{false};
    bool is_on_device_ = false, is_live_ = true, has_pushed_ = false;
    std::vector<EventRef> waiting_;
    EventRef sent_scan_;
};

} // namespace tomo
