// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/output-port.hpp>

#include <algorithm>

namespace tomo {

// After an error the stream did not end, it broke: nobody downstream may take it for complete. GStreamer's
// bases send the end nevertheless, and other elements hand on the one that comes.
static void stop_end_of_broken_stream(GstPad *pad, Element &element) {
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer element) {
            const bool is_end = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS;
            return is_end && static_cast<Element *>(element)->has_failed() ? GST_PAD_PROBE_DROP
                                                                           : GST_PAD_PROBE_OK;
        },
        &element, nullptr);
}

static bool is_flushing(GstPad *src) {
    const ObjectRef<GstPad> peer(gst_pad_get_peer(src));
    return GST_PAD_IS_FLUSHING(src) || (peer && GST_PAD_IS_FLUSHING(peer.get()));
}

void OutputPort::attach(GstPad *pad, Sending sending) {
    pad_ = pad;
    sending_ = std::move(sending);
    if (!sending_.send_caps)
        sending_.send_caps = [this](GstCaps *caps) {
            return gst_pad_push_event(pad_, gst_event_new_caps(caps)) || !gst_pad_is_linked(pad_);
        };
    if (!sending_.push)
        sending_.push = [this](GstBuffer *buffer) { return gst_pad_push(pad_, buffer); };
    stop_end_of_broken_stream(pad, element_);
    if (sending_.events_go_with_buffers)
        gst_pad_add_probe(
            pad, GST_PAD_PROBE_TYPE_BUFFER,
            [](GstPad *, GstPadProbeInfo *, gpointer port) {
                static_cast<OutputPort *>(port)->send_waiting();
                return GST_PAD_PROBE_OK;
            },
            this, nullptr);
}

void OutputPort::property_changed(const PropertyBase &property) {
    if (property.when() == When::reshapes)
        demand_adaptation();
}

// Caps
// ---------------------------------------------------------------------------------------------------------

void OutputPort::negotiate(const ArrayInfo &out) {
    // Both are looked at: the pad forgets that it was asked.
    const bool pad_is_asked = gst_pad_check_reconfigure(pad_), is_asked = is_asked_.exchange(false);
    if (!has_caps_ || out != info_ || pad_is_asked || is_asked) {
        has_caps_ = false;
        tell_caps(out);
    }
    if (!sending_.events_go_with_buffers)
        send_waiting();
}

void OutputPort::tell_caps(const ArrayInfo &out) {
    const CapsRef chosen = sending_.choose_caps(out);
    const CapsRef current(gst_pad_get_current_caps(pad_));
    const bool is_known = current && gst_caps_is_equal(current.get(), chosen.get());
    if (!is_known && !sending_.send_caps(chosen.get())) {
        if (is_flushing(pad_))
            throw Flushing();
        throw Error(GST_CORE_ERROR_NEGOTIATION,
                    text("gives %s, which was refused downstream", to_string(chosen.get()).c_str()));
    }
    info_ = out;
    is_on_device_ = tomo::is_on_device(chosen.get());
    has_caps_ = true;
}

// Events
// -------------------------------------------------------------------------------------------------------

static bool waits_for_caps(GstEvent *event) { return GST_EVENT_IS_STICKY(event) || is_bound_value(event); }

void OutputPort::keep(EventRef event) {
    // Of a bound value only the newest counts.
    waiting_.erase(
        std::remove_if(waiting_.begin(), waiting_.end(),
                       [&](const auto &older) { return replaces_bound_value(event.get(), older.get()); }),
        waiting_.end());
    waiting_.push_back(std::move(event));
}

bool OutputPort::send(EventRef event) {
    // Events that are not serialized come from any thread, which may not look at more than them.
    if (!GST_EVENT_IS_SERIALIZED(event.get()) || GST_EVENT_TYPE(event.get()) == GST_EVENT_STREAM_START ||
        (has_caps_ && !sending_.events_go_with_buffers))
        return send_now(std::move(event));
    if (waits_for_caps(event.get()))
        keep(std::move(event));
    return true;
}

bool OutputPort::send_now(EventRef event) {
    EventRef kept = waits_for_caps(event.get()) ? event : EventRef();
    if (gst_pad_push_event(pad_, event.release()))
        return true;
    if (kept && is_flushing(pad_))
        keep(std::move(kept));
    return false;
}

void OutputPort::send_waiting() {
    for (auto &event : std::exchange(waiting_, {}))
        send_now(std::move(event));
}

void OutputPort::send_scan(EventRef event) {
    if (!event || (sent_scan_ && gst_structure_is_equal(gst_event_get_structure(sent_scan_.get()),
                                                        gst_event_get_structure(event.get()))))
        return;
    sent_scan_ = event;
    send(std::move(event));
}

// Arrays
// -------------------------------------------------------------------------------------------------------

void OutputPort::submit(const Array &array) {
    cl_check(clFlush(element_.queue()), "submitting commands");
    element_.limit_frames_in_flight(array, is_live_);
    if (!is_on_device_)
        array.storage()->prefetch();
}

GstFlowReturn OutputPort::push(BufferRef buffer) {
    has_pushed_ = true;
    return sending_.push(buffer.release());
}

// Ends
// ---------------------------------------------------------------------------------------------------------

void OutputPort::finish() {
    // A segment that has not been sent would have to go before them.
    if (has_caps_ && (has_pushed_ || !sending_.events_go_with_buffers))
        send_waiting();
    waiting_.clear();
}

void OutputPort::stop_flush() {
    element_.drop_frames_in_flight();
    has_pushed_ = false;
    waiting_.erase(
        std::remove_if(waiting_.begin(), waiting_.end(),
                       [](const auto &event) { return GST_EVENT_TYPE(event.get()) == GST_EVENT_SEGMENT; }),
        waiting_.end());
}

void OutputPort::reset() {
    element_.drop_frames_in_flight();
    waiting_.clear();
    sent_scan_ = {};
    info_ = {};
    is_on_device_ = has_pushed_ = has_caps_ = is_asked_ = false;
    is_live_ = true;
}

} // namespace tomo
