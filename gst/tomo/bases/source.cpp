// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/source.hpp>
#include <gst/tomo/support/debug.hpp>

#include <cmath>

#define GST_CAT_DEFAULT tomo::element_debug()

struct GstTomoSource {
    GstPushSrc parent;
};
struct GstTomoSourceClass {
    GstPushSrcClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoSource, gst_tomo_source, GST_TYPE_PUSH_SRC)

static tomo::Source *source_of(gpointer gst) {
    return static_cast<tomo::Source *>(tomo::element_of(GST_ELEMENT_CAST(gst)));
}

static void gst_tomo_source_init(GstTomoSource *self) {
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

// The base tells of errors that come back from downstream, and then sends EOS, which another branch of a tee
// would take for the end.
static gboolean gst_tomo_source_post_message(GstElement *element, GstMessage *message) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        source_of(element)->join_error();
    return GST_ELEMENT_CLASS(gst_tomo_source_parent_class)->post_message(element, message);
}

static void gst_tomo_source_class_init(GstTomoSourceClass *klass) {
    auto *base = GST_BASE_SRC_CLASS(klass);
    GST_ELEMENT_CLASS(klass)->post_message = gst_tomo_source_post_message;
    // The base would carry out a seek without asking event(). At an end it would wait for the streaming
    // thread, which may wait for the sinks to go on from PAUSED, which they can't as long as the sender of
    // the event holds the locks of states.
    GST_ELEMENT_CLASS(klass)->send_event = [](GstElement *self, GstEvent *event) -> gboolean {
        if (source_of(self)->refuses(event)) {
            gst_event_unref(event);
            return FALSE;
        }
        if (GST_EVENT_TYPE(event) != GST_EVENT_EOS ||
            GST_PAD_MODE(GST_BASE_SRC_PAD(self)) != GST_PAD_MODE_PUSH)
            return GST_ELEMENT_CLASS(gst_tomo_source_parent_class)->send_event(self, event);
        source_of(self)->interrupt();
        GST_OBJECT_LOCK(self); // not the end of a segment that an application repeats
        auto &flags = GST_BASE_SRC(self)->segment.flags;
        flags = static_cast<GstSegmentFlags>(flags & ~GST_SEGMENT_FLAG_SEGMENT);
        GST_OBJECT_UNLOCK(self);
        // A thread that has stopped, after a segment or a flush downstream, is started again by the base.
        if (gst_pad_get_task_state(GST_BASE_SRC_PAD(self)) != GST_TASK_STARTED)
            return GST_ELEMENT_CLASS(gst_tomo_source_parent_class)->send_event(self, event);
        gst_event_unref(event);
        return TRUE;
    };
    base->start = [](GstBaseSrc *self) -> gboolean {
        auto *source = source_of(self);
        return source->guard([&] { source->activate(); });
    };
    base->stop = [](GstBaseSrc *self) -> gboolean {
        source_of(self)->deactivate();
        return TRUE;
    };
    // The caps come with the next frame.
    base->negotiate = [](GstBaseSrc *self) -> gboolean { return source_of(self)->renegotiate(), TRUE; };
    base->decide_allocation = [](GstBaseSrc *, GstQuery *) -> gboolean { return TRUE; };
    base->is_seekable = [](GstBaseSrc *) -> gboolean { return TRUE; };
    base->prepare_seek_segment = [](GstBaseSrc *self, GstEvent *event, GstSegment *segment) -> gboolean {
        auto *source = source_of(self);
        return source->guard(FALSE, [&] { return source->prepare_seek(event, segment); });
    };
    base->event = [](GstBaseSrc *self, GstEvent *event) -> gboolean {
        return !source_of(self)->refuses(event) &&
               GST_BASE_SRC_CLASS(gst_tomo_source_parent_class)->event(self, event);
    };
    base->do_seek = [](GstBaseSrc *self, GstSegment *segment) -> gboolean {
        auto *source = source_of(self);
        return source->guard(false, [&] { return source->seek(segment); });
    };
    base->query = [](GstBaseSrc *self, GstQuery *query) -> gboolean {
        // The base would take the count of frames in the segment for nanoseconds.
        const auto type = GST_QUERY_TYPE(query);
        const bool is_own =
            type == GST_QUERY_POSITION || type == GST_QUERY_DURATION || type == GST_QUERY_CONVERT;
        auto *source = source_of(self);
        return source->guard(false, [&] { return source->query(query); }) ||
               (!is_own && GST_BASE_SRC_CLASS(gst_tomo_source_parent_class)->query(self, query));
    };
    base->unlock = [](GstBaseSrc *self) -> gboolean {
        source_of(self)->cancel(tomo::Cancel::flush);
        return TRUE;
    };
    base->unlock_stop = [](GstBaseSrc *self) -> gboolean {
        source_of(self)->go_on(tomo::Cancel::flush);
        return TRUE;
    };
    GST_PUSH_SRC_CLASS(klass)->create = [](GstPushSrc *self, GstBuffer **buffer) {
        auto *source = source_of(self);
        const auto flow = source->guard_flow([&] { return source->create(buffer); });
        return flow == GST_FLOW_FLUSHING && source->is_interrupted() ? GST_FLOW_EOS : flow;
    };
}

namespace tomo {

GType Source::parent_type() { return gst_tomo_source_get_type(); }

void Source::describe_frame(std::uint64_t, GstTomoFrameMeta &) {}

void Source::describe_pads(GstElementClass *klass) const {
    const CapsRef out(template_caps(info().out));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
}

void Source::attach() {
    output_.attach(GST_BASE_SRC_PAD(base()),
                   {.choose_caps = [this](const ArrayInfo &out) { return choose_caps(out); },
                    .send_caps =
                        [this](GstCaps *caps) {
                            return gst_base_src_set_caps(base(), caps) ||
                                   !gst_pad_is_linked(GST_BASE_SRC_PAD(base()));
                        },
                    .events_go_with_buffers = true});
}

void Source::activate() {
    forget_error();
    {
        std::lock_guard<std::mutex> lock(lock_);
        info_ = {}; // the rate is not known before the first frame
    }
    next_ = 0;
    stop_ = G_MAXUINT64;
    discont_ = true;
    knows_scan_ = false;
    ended_ = false;
    go_on(Cancel::end);
    output_.set_live(false); // it is never late
    start();
}

void Source::deactivate() noexcept {
    stop_and_forget();
    output_.reset();
}

// The frame of a time; one nanosecond is added, because the time of a frame is rounded down.
static std::uint64_t frame_at(const ArrayInfo &rate, std::uint64_t time) {
    return gst_util_uint64_scale(time + 1, rate.fps_n, GST_SECOND * rate.fps_d);
}

static std::uint64_t time_of(const ArrayInfo &rate, std::uint64_t frame) {
    return gst_util_uint64_scale(frame, GST_SECOND * rate.fps_d, rate.fps_n);
}

// Files have no rate: downstream may ask for one, with a caps filter for instance.
CapsRef Source::choose_caps(const ArrayInfo &info) {
    GstPad *pad = output_.pad();
    ArrayInfo wanted = info;
    if (const ObjectRef<GstPad> peer(gst_pad_get_peer(pad)); peer && info.fps_n == 0) {
        CapsRef offer(info.to_caps(true));
        CapsRef plain(info.to_caps(false));
        offer = CapsRef(gst_caps_merge(offer.release(), plain.release()));
        gst_caps_set_simple(offer.get(), "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, nullptr);
        CapsRef common(gst_pad_query_caps(peer.get(), offer.get()));
        common = CapsRef(gst_caps_intersect(common.get(), offer.get()));
        if (!gst_caps_is_empty(common.get())) {
            common = CapsRef(gst_caps_truncate(common.release()));
            gst_structure_fixate_field_nearest_fraction(gst_caps_get_structure(common.get(), 0), "framerate",
                                                        0, 1);
            wanted = ArrayInfo::from_caps(common.get());
        }
    }
    CapsRef caps = choose_output_caps(pad, wanted, OutputPlace::any);
    std::lock_guard<std::mutex> lock(lock_);
    info_ = wanted;
    return caps;
}

GstFlowReturn Source::create(GstBuffer **buffer) {
    if (is_interrupted())
        return GST_FLOW_EOS;
    std::uint64_t n = 0;
    {
        std::lock_guard<std::mutex> lock(lock_);
        n = next_;
        if (n >= stop_) {
            ended_ = true;
            return GST_FLOW_EOS;
        }
    }
    const auto info = frame_info(n);
    if (!info) {
        if (n == 0 && !may_be_empty())
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND, "there is no frame to give");
        ended_ = true;
        return GST_FLOW_EOS;
    }
    output_.negotiate(*info);
    const Array array = frame(n, *info);
    BufferRef result = array.to_buffer();
    if (info_.fps_n > 0) {
        GST_BUFFER_PTS(result.get()) = time_of(info_, n);
        // So that frames leave no gap, however their times are rounded.
        GST_BUFFER_DURATION(result.get()) = time_of(info_, n + 1) - time_of(info_, n);
        follow_time(GST_BUFFER_PTS(result.get()));
    }
    GST_BUFFER_OFFSET(result.get()) = n;
    GST_BUFFER_OFFSET_END(result.get()) = n + 1;
    if (std::exchange(discont_, false))
        GST_BUFFER_FLAG_SET(result.get(), GST_BUFFER_FLAG_DISCONT);
    describe_frame(
        n, *gst_buffer_add_tomo_frame_meta(result.get(), n, std::nan(""), GST_CLOCK_TIME_NONE, nullptr));
    if (needs_device())
        output_.submit(array);
    if (!std::exchange(knows_scan_, true))
        output_.send_scan(scan_event());
    if (is_interrupted())
        return GST_FLOW_EOS;
    *buffer = result.release();
    std::lock_guard<std::mutex> lock(lock_);
    next_ = n + 1;
    if (info_.fps_n == 0) { // see prepare_seek(); times of its own the base counts itself
        GST_OBJECT_LOCK(gst());
        base()->segment.position = next_;
        GST_OBJECT_UNLOCK(gst());
    }
    return GST_FLOW_OK;
}

// What is known of the frame rate.
ArrayInfo Source::rate() {
    std::lock_guard<std::mutex> lock(lock_);
    return info_;
}

// For queries: what can't be counted is told by the stream, once it gets there.
std::optional<std::uint64_t> Source::known_count() noexcept {
    try {
        return frame_count();
    } catch (...) {
        GST_DEBUG_OBJECT(gst(), "frames can't be counted: %s", current_error().what());
        return {};
    }
}

static std::optional<std::uint64_t> to_frames(const ArrayInfo &rate, GstFormat format, std::int64_t value) {
    if (value < 0)
        return {};
    if (format == GST_FORMAT_DEFAULT)
        return value;
    if (format == GST_FORMAT_TIME && rate.fps_n > 0)
        return frame_at(rate, value);
    return format == GST_FORMAT_TIME && value == 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
}

static std::optional<std::int64_t> from_frames(const ArrayInfo &rate, GstFormat format,
                                               std::uint64_t frames) {
    if (format == GST_FORMAT_DEFAULT)
        return frames;
    if (format == GST_FORMAT_TIME && rate.fps_n > 0)
        return time_of(rate, frames);
    return {};
}

bool Source::refuses(GstEvent *event) {
    return GST_EVENT_TYPE(event) == GST_EVENT_SEEK && !guard(false, [&] { return can_seek(event); });
}

bool Source::can_seek(GstEvent *event) {
    const Seek seek(event);
    const ArrayInfo known = rate();
    const bool to_start = !seek.sets_stop() && (!seek.sets_start() || seek.start == 0);
    const char *problem = known.format == GST_TOMO_FORMAT_UNKNOWN && !to_start
                              ? "before the first frame"
                              : seek.problem(known.fps_n > 0);
    if (problem)
        GST_WARNING_OBJECT(gst(), "can't seek %s", problem);
    return !problem;
}

// From frames. The segment is in time always; without a rate, frames have no time, and the segment keeps to
// whole frames by counting each as a nanosecond.
bool Source::prepare_seek(GstEvent *event, GstSegment *segment) {
    const Seek seek(event);
    if (seek.format != GST_FORMAT_DEFAULT)
        return false;
    const ArrayInfo rate = this->rate();
    auto to_time = [&](gint64 frames) -> gint64 {
        return frames > 0 && rate.fps_n > 0 ? time_of(rate, frames) : frames;
    };
    GST_OBJECT_LOCK(gst());
    *segment = base()->segment;
    GST_OBJECT_UNLOCK(gst());
    const gint64 stop = seek.sets_stop() ? to_time(seek.stop) : -1;
    // Where the end that is left alone lies before the new start.
    if (!seek.sets_stop() && seek.sets_start() && to_time(seek.start) > static_cast<gint64>(segment->stop))
        segment->stop = GST_CLOCK_TIME_NONE;
    return gst_segment_do_seek(segment, seek.rate, GST_FORMAT_TIME, seek.flags, seek.start_type,
                               to_time(seek.start), seek.stop_type, stop, nullptr);
}

bool Source::seek(GstSegment *segment) {
    std::lock_guard<std::mutex> lock(lock_);
    const bool has_end = GST_CLOCK_TIME_IS_VALID(segment->stop);
    if (info_.format == GST_TOMO_FORMAT_UNKNOWN && (segment->position > 0 || has_end))
        throw Error(GST_CORE_ERROR_SEEK,
                    "can't seek before the first frame, when nobody knows the frame rate: seek "
                    "when the pipeline is in PAUSED");
    if (info_.fps_n > 0) {
        // All frames that overlap the segment.
        next_ = frame_at(info_, segment->position);
        stop_ = has_end ? gst_util_uint64_scale_ceil(segment->stop, info_.fps_n, GST_SECOND * info_.fps_d)
                        : G_MAXUINT64;
    } else {
        next_ = segment->position;
        stop_ = has_end ? segment->stop : G_MAXUINT64;
    }
    discont_ = true;
    ended_ = false;
    go_on(Cancel::end);
    return true;
}

// With `num-buffers`.
std::optional<std::uint64_t> Source::announced_count() noexcept {
    const auto count = known_count();
    const int most = base()->num_buffers;
    return count && most >= 0 ? std::min<std::uint64_t>(*count, most) : count;
}

// Somebody ended the stream, and there was more to give.
bool Source::was_cut_off() {
    if (!is_interrupted() || ended_)
        return false;
    const auto count = announced_count();
    std::lock_guard<std::mutex> lock(lock_);
    return next_ < stop_ && !(count && next_ >= *count);
}

bool Source::query(GstQuery *query) {
    GstFormat format = GST_FORMAT_UNDEFINED;
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return handle_context_query(query);
    case GST_QUERY_CUSTOM:
        if (is_early_end_query(query))
            return is_interrupted();
        if (!is_interruption_query(query) || !was_cut_off())
            return is_flow_query(query);
        {
            const auto announced = announced_count();
            std::lock_guard<std::mutex> lock(lock_);
            answer_interruption(query, {next_, announced});
        }
        return true;
    case GST_QUERY_DURATION: {
        gst_query_parse_duration(query, &format, nullptr);
        const auto count = announced_count();
        const auto value = count ? from_frames(rate(), format, *count) : std::nullopt;
        if (!value)
            return false;
        gst_query_set_duration(query, format, *value);
        return true;
    }
    case GST_QUERY_POSITION: {
        gst_query_parse_position(query, &format, nullptr);
        std::lock_guard<std::mutex> lock(lock_);
        const auto value = from_frames(info_, format, next_);
        if (!value)
            return false;
        gst_query_set_position(query, format, *value);
        return true;
    }
    case GST_QUERY_SEEKING: {
        gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
        if (format != GST_FORMAT_DEFAULT && format != GST_FORMAT_TIME)
            return false;
        const auto count = known_count();
        const auto rate = this->rate();
        const auto end = count ? from_frames(rate, format, *count) : std::nullopt;
        const bool is_seekable = GST_BASE_SRC_GET_CLASS(gst())->is_seekable(GST_BASE_SRC_CAST(gst()));
        gst_query_set_seeking(query, format, is_seekable && (format == GST_FORMAT_DEFAULT || rate.fps_n > 0),
                              0, end ? *end : -1);
        return true;
    }
    case GST_QUERY_CONVERT: {
        GstFormat to = GST_FORMAT_UNDEFINED;
        gint64 value = 0;
        gst_query_parse_convert(query, &format, &value, &to, nullptr);
        const auto rate = this->rate();
        const auto frames = to_frames(rate, format, value);
        const auto converted = frames ? from_frames(rate, to, *frames) : std::nullopt;
        if (!converted)
            return false;
        gst_query_set_convert(query, format, value, to, *converted);
        return true;
    }
    default:
        return false;
    }
}

} // namespace tomo
