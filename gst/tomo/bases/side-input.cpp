// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-input.hpp>
#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/support/debug.hpp>

#include <chrono>
#include <utility>

#define GST_CAT_DEFAULT tomo::element_debug()

namespace tomo {

// Nobody wakes those who wait when a pad is set to flushing, so they look by themselves.
static constexpr std::chrono::milliseconds often(10);

SideInput::SideInput(Transform *owner, const char *name) : owner_(*owner), name_(name) { owner->add(this); }

static SideInput &input_of(GstPad *pad) {
    return *static_cast<SideInput *>(gst_pad_get_element_private(pad));
}

GstPad *SideInput::make_pad(GstPadTemplate *templ) {
    std::lock_guard<std::mutex> lock(lock_);
    if (pad_) {
        GST_WARNING_OBJECT(owner_.gst(), "there is a pad %s already", name());
        return nullptr;
    }
    pad_ = gst_pad_new_from_template(templ, name());
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(pad_, [](GstPad *pad, GstObject *, GstBuffer *buffer) {
        auto &input = input_of(pad);
        BufferRef owned(buffer);
        return input.owner_.guard_flow([&] { return input.chain(std::move(owned)); });
    });
    gst_pad_set_event_function(pad_, [](GstPad *pad, GstObject *, GstEvent *event) {
        auto &input = input_of(pad);
        EventRef owned(event);
        return input.owner_.guard(FALSE, [&] { return input.event(std::move(owned)); });
    });
    gst_pad_set_query_function(pad_, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        auto &input = input_of(pad);
        return input.owner_.guard(FALSE, [&] { return input.query(query); }) ||
               gst_pad_query_default(pad, parent, query);
    });
    return pad_;
}

GstPad *SideInput::add_pad(GstPadTemplate *templ) {
    GstPad *pad = make_pad(templ);
    if (!pad)
        return nullptr;
    if (GST_STATE(owner_.gst()) > GST_STATE_READY)
        gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(owner_.gst(), pad);
    return pad;
}

void SideInput::release_pad(GstPad *pad) {
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (pad != pad_)
            return;
        pad_ = nullptr;
        forget();
    }
    changed_.notify_all();
}

ObjectRef<GstPad> SideInput::linked_pad() {
    std::lock_guard<std::mutex> lock(lock_);
    return pad_ && gst_pad_is_linked(pad_) ? ObjectRef<GstPad>::referenced(pad_) : ObjectRef<GstPad>();
}

bool SideInput::is_linked() {
    const auto pad = linked_pad();
    std::lock_guard<std::mutex> lock(lock_);
    return pad || is_handed_over_;
}

void SideInput::begin_again(GstEvent *seek) {
    GstSeekFlags flags = GST_SEEK_FLAG_NONE;
    gst_event_parse_seek(seek, nullptr, nullptr, &flags, nullptr, nullptr, nullptr, nullptr);
    const auto pad = linked_pad();
    if (!pad || !(flags & GST_SEEK_FLAG_FLUSH))
        return;
    {
        std::lock_guard<std::mutex> lock(lock_);
        is_sought_ = true;
    }
    EventRef again(gst_event_new_seek(1.0, GST_FORMAT_DEFAULT, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0,
                                      GST_SEEK_TYPE_NONE, -1));
    gst_event_set_seqnum(again.get(), gst_event_get_seqnum(seek));
    gst_pad_push_event(pad.get(), again.release());
}

void SideInput::found() {
    {
        std::lock_guard<std::mutex> lock(lock_);
        is_sought_ = false;
    }
    changed_.notify_all();
}

void SideInput::clear() {
    std::lock_guard<std::mutex> lock(lock_);
    forget();
    handed_over_.clear();
    has_info_ = is_flushing_ = false;
    last_ = {};
    last_came_ = {};
}

// What came so far.
void SideInput::forget() {
    waiting_ = {};
    taken_ = 0;
    has_ended_ = was_cut_off_ = false;
    is_last_old_ = true;
}

void SideInput::let_old_go() {
    if (std::exchange(is_last_old_, false)) {
        last_ = {};
        last_came_ = {};
    }
}

bool SideInput::is_stopped() const { return !pad_ || is_flushing_ || GST_PAD_IS_FLUSHING(pad_); }

GstFlowReturn SideInput::chain(BufferRef buffer) {
    std::unique_lock<std::mutex> lock(lock_);
    if (!has_info_)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("pad %s got a buffer before any caps: put a capsfilter or an element that sets them "
                         "before",
                         name()));
    while (waiting_.buffer && !is_stopped() && !owner_.has_failed())
        changed_.wait_for(lock, often);
    if (owner_.has_failed())
        return GST_FLOW_ERROR;
    if (is_stopped())
        return GST_FLOW_FLUSHING;
    waiting_ = {std::move(buffer), info_};
    changed_.notify_all();
    return GST_FLOW_OK;
}

gboolean SideInput::event(EventRef event) {
    if (GST_EVENT_TYPE(event.get()) == GST_EVENT_CAPS) {
        GstCaps *caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        const auto info = ArrayInfo::from_caps(caps);
        if (info.is_complex())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("input %s got %s; wanted real arrays", name(), info.describe().c_str()));
        std::lock_guard<std::mutex> lock(lock_);
        info_ = info;
        has_info_ = true;
        return TRUE;
    }
    if (take_bound_value(owner_.gst(), event.get()))
        return TRUE;
    const auto pad = linked_pad();
    const bool was_cut_off =
        pad && GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS && interruption_of(pad.get()).has_value();
    {
        std::lock_guard<std::mutex> lock(lock_);
        switch (GST_EVENT_TYPE(event.get())) {
        case GST_EVENT_STREAM_START:
            has_ended_ = was_cut_off_ = false;
            break;
        case GST_EVENT_EOS:
        case GST_EVENT_SEGMENT_DONE:
            has_ended_ = true;
            was_cut_off_ = was_cut_off;
            break;
        case GST_EVENT_FLUSH_START:
            is_flushing_ = true;
            break;
        case GST_EVENT_FLUSH_STOP:
            is_flushing_ = false;
            forget();
            break;
        default: // facts of the stream are those of the main input
            break;
        }
    }
    changed_.notify_all();
    return TRUE;
}

// Nobody knows which copy will have an array, so there is no device whose memory could be proposed.
gboolean SideInput::query(GstQuery *query) {
    const auto pad = linked_pad();
    const bool is_of_copies = !dynamic_cast<Transform *>(&owner_);
    if (!pad || (is_of_copies && GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION))
        return FALSE;
    return answer_sink_query(owner_, pad.get(), query);
}

// Of the main input
// -------------------------------------------------------------------------------------------------------

// Takes arrays from the pad up to this number, the newest one into last_came_; false where the stream ended
// before.
bool SideInput::take_up_to(std::uint64_t number) {
    std::unique_lock<std::mutex> lock(lock_);
    const auto wait_while = [&](const auto &lasts) {
        while (lasts()) {
            changed_.wait_for(lock, often);
            if (owner_.is_cancelled() || owner_.has_failed())
                throw Flushing();
            lock.unlock();
            const bool is_wanted = owner_.is_result_wanted();
            lock.lock();
            if (!is_wanted)
                throw Flushing();
        }
        let_old_go(); // a flush may have come
    };
    for (;;) {
        wait_while([&] { return is_sought_; });
        if (taken_ > number)
            throw Error(GST_STREAM_ERROR_FAILED,
                        text("array %" G_GUINT64_FORMAT " of input %s has passed already: it can't be sought "
                             "back; start the pipeline again",
                             number, name()));
        wait_while([&] { return is_sought_ || (!waiting_.buffer && !has_ended_ && pad_); });
        if (!waiting_.buffer && was_cut_off_)
            throw Flushing();
        if (!waiting_.buffer)
            return false;
        last_came_ = std::exchange(waiting_, {});
        changed_.notify_all();
        if (taken_++ == number)
            return true;
    }
}

bool SideInput::has_run_out_early() {
    std::lock_guard<std::mutex> lock(lock_);
    return was_cut_off_ && !waiting_.buffer;
}

bool SideInput::has_taken(std::uint64_t number) {
    std::lock_guard<std::mutex> lock(lock_);
    let_old_go();
    return taken_ == number + 1;
}

std::optional<Array> SideInput::array(std::uint64_t number) {
    if (is_handed_over_)
        return handed_over(number);
    if (has_taken(number) && last_)
        return last_;
    const bool is_there = take_up_to(number);
    if (last_came_.buffer)
        keep(std::exchange(last_came_, {}));
    return is_there ? std::optional<Array>(last_) : std::nullopt;
}

SideInput::Came SideInput::came(std::uint64_t number) {
    if (!has_taken(number))
        take_up_to(number);
    return last_came_;
}

// A copy, because the stream's pool may be small, and the last array may serve for long.
void SideInput::keep(const Came &came) {
    const Array array = owner_.import(came.buffer.get(), came.info);
    last_ = owner_.allocate(came.info);
    owner_.copy_rows(array, {}, last_, {}, came.info.size());
}

// Of copies
// -------------------------------------------------------------------------------------------------------

void SideInput::expect(bool handed_over) {
    std::lock_guard<std::mutex> lock(lock_);
    is_handed_over_ = handed_over;
}

void SideInput::hand_over(std::uint64_t number, Came array) {
    std::lock_guard<std::mutex> lock(lock_);
    handed_over_[number] = std::move(array);
}

void SideInput::forget_handed_over() {
    std::lock_guard<std::mutex> lock(lock_);
    handed_over_.clear();
    is_last_old_ = true;
}

std::optional<Array> SideInput::handed_over(std::uint64_t number) {
    Came came;
    {
        std::lock_guard<std::mutex> lock(lock_);
        let_old_go();
        const auto found = handed_over_.find(number);
        if (found == handed_over_.end())
            return {};
        came = std::move(found->second);
        handed_over_.erase(found);
    }
    // One may serve for all.
    if (!last_ || came.buffer.get() != last_came_.buffer.get()) {
        keep(came);
        last_came_ = std::move(came);
    }
    return last_;
}

} // namespace tomo
