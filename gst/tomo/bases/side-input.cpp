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
        GST_WARNING_OBJECT(owner_.gst(), "there is a pad %s already", name_);
        return nullptr;
    }
    pad_ = gst_pad_new_from_template(templ, name_);
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

bool SideInput::is_linked() { return static_cast<bool>(linked_pad()); }

void SideInput::clear() {
    std::lock_guard<std::mutex> lock(lock_);
    forget();
    has_info_ = is_flushing_ = false;
    last_ = {};
}

// What came so far.
void SideInput::forget() {
    waiting_ = {};
    taken_ = 0;
    has_ended_ = false;
    is_last_old_ = true;
}

void SideInput::let_old_go() {
    if (std::exchange(is_last_old_, false))
        last_ = {};
}

bool SideInput::is_stopped() const { return !pad_ || is_flushing_ || GST_PAD_IS_FLUSHING(pad_); }

GstFlowReturn SideInput::chain(BufferRef buffer) {
    std::unique_lock<std::mutex> lock(lock_);
    if (!has_info_)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("pad %s got a buffer before any caps: put a capsfilter or an element that sets them "
                         "before",
                         name_));
    while (waiting_ && !is_stopped() && !owner_.has_failed())
        changed_.wait_for(lock, often);
    if (owner_.has_failed())
        return GST_FLOW_ERROR;
    if (is_stopped())
        return GST_FLOW_FLUSHING;
    waiting_ = std::move(buffer);
    waiting_info_ = info_;
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
                        text("input %s got %s; wanted real arrays", name_, info.describe().c_str()));
        std::lock_guard<std::mutex> lock(lock_);
        info_ = info;
        has_info_ = true;
        return TRUE;
    }
    if (take_bound_value(owner_.gst(), event.get()))
        return TRUE;
    {
        std::lock_guard<std::mutex> lock(lock_);
        switch (GST_EVENT_TYPE(event.get())) {
        case GST_EVENT_STREAM_START:
            has_ended_ = false;
            break;
        case GST_EVENT_EOS:
        case GST_EVENT_SEGMENT_DONE:
            has_ended_ = true;
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

gboolean SideInput::query(GstQuery *query) {
    const auto pad = linked_pad();
    return pad && answer_sink_query(owner_, pad.get(), query);
}

std::optional<Array> SideInput::array(std::uint64_t number) {
    for (;;) {
        BufferRef buffer;
        ArrayInfo info;
        {
            std::unique_lock<std::mutex> lock(lock_);
            let_old_go();
            if (last_ && taken_ == number + 1)
                return last_;
            if (taken_ > number)
                throw Error(GST_STREAM_ERROR_FAILED,
                            text("array %" G_GUINT64_FORMAT
                                 " of input %s has passed already: it can't be sought "
                                 "back; start the pipeline again",
                                 number, name_));
            while (!waiting_ && !has_ended_ && pad_) {
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
            if (!waiting_)
                return {};
            buffer = std::exchange(waiting_, {});
            info = waiting_info_;
            taken_++;
            changed_.notify_all();
        }
        // A copy, because the stream's pool may be small, and the last array may serve for long.
        const Array came = owner_.import(buffer.get(), info);
        last_ = owner_.allocate(info);
        owner_.copy_rows(came, {}, last_, {}, info.size());
    }
}

} // namespace tomo
