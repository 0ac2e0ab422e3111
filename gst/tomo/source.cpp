// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/negotiation.hpp>
#include <gst/tomo/source.hpp>

#include <cmath>

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

static void gst_tomo_source_init(GstTomoSource *self) { gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME); }

static void gst_tomo_source_class_init(GstTomoSourceClass *klass) {
    auto *base = GST_BASE_SRC_CLASS(klass);
    base->start = [](GstBaseSrc *self) -> gboolean {
        auto *source = source_of(self);
        return source->guard(false, [&] { return source->activate(); });
    };
    base->stop = [](GstBaseSrc *self) -> gboolean {
        source_of(self)->deactivate();
        return TRUE;
    };
    // The caps come with the first frame.
    base->negotiate = [](GstBaseSrc *) -> gboolean { return TRUE; };
    base->decide_allocation = [](GstBaseSrc *, GstQuery *) -> gboolean { return TRUE; };
    base->is_seekable = [](GstBaseSrc *) -> gboolean { return TRUE; };
    base->prepare_seek_segment = [](GstBaseSrc *self, GstEvent *event, GstSegment *segment) -> gboolean {
        return source_of(self)->prepare_seek(event, segment);
    };
    base->do_seek = [](GstBaseSrc *self, GstSegment *segment) -> gboolean { return source_of(self)->seek(segment); };
    base->query = [](GstBaseSrc *self, GstQuery *query) -> gboolean {
        return source_of(self)->query(query) ||
               GST_BASE_SRC_CLASS(gst_tomo_source_parent_class)->query(self, query);
    };
    base->unlock = [](GstBaseSrc *self) -> gboolean {
        source_of(self)->set_cancelled(true);
        return TRUE;
    };
    base->unlock_stop = [](GstBaseSrc *self) -> gboolean {
        source_of(self)->set_cancelled(false);
        return TRUE;
    };
    GST_PUSH_SRC_CLASS(klass)->create = [](GstPushSrc *self, GstBuffer **buffer) {
        auto *source = source_of(self);
        return source->guard_flow([&] { return source->create(buffer); });
    };
}

namespace tomo {

GType Source::parent_type() { return gst_tomo_source_get_type(); }

void Source::describe_frame(std::uint64_t, GstTomoFrameMeta &) {}

void Source::describe_pads(GstElementClass *klass) const {
    const CapsRef out(template_caps(info().out));
    gst_element_class_add_pad_template(klass, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
}

void Source::attach() { stop_end_of_broken_stream(GST_BASE_SRC_PAD(base())); }

bool Source::activate() {
    forget_error();
    next_ = 0;
    stop_ = G_MAXUINT64;
    negotiated_ = false;
    discont_ = true;
    start();
    return true;
}

void Source::deactivate() {
    stop();
    drop_frames_in_flight();
}

void Source::negotiate(const ArrayInfo &info) {
    GstPad *pad = GST_BASE_SRC_PAD(base());
    const bool reconfigure = gst_pad_check_reconfigure(pad);
    if (negotiated_ && info == ArrayInfo(info_).with_rate(info.fps_n, info.fps_d) && !reconfigure)
        return;
    // Files have no rate: downstream may ask for one, with a caps filter for instance.
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
            gst_structure_fixate_field_nearest_fraction(gst_caps_get_structure(common.get(), 0), "framerate", 0, 1);
            wanted = ArrayInfo::from_caps(common.get());
        }
    }
    const CapsRef caps = choose_output_caps(pad, wanted, OutputPlace::any);
    info_ = wanted;
    on_device_ = is_on_device(caps.get());
    negotiated_ = true;
    if (!gst_base_src_set_caps(base(), caps.get()) && !GST_PAD_IS_FLUSHING(pad) && gst_pad_is_linked(pad))
        throw Error(GST_CORE_ERROR_NEGOTIATION,
                    text("gives %s, which was refused downstream", to_string(caps.get()).c_str()));
}

GstFlowReturn Source::create(GstBuffer **buffer) {
    std::uint64_t n = 0;
    {
        std::lock_guard<std::mutex> lock(lock_);
        n = next_;
        if (n >= stop_)
            return GST_FLOW_EOS;
    }
    const auto info = frame_info(n);
    if (!info) {
        if (n == 0)
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND, "there is no frame to give");
        return GST_FLOW_EOS;
    }
    negotiate(*info);
    const Array array = frame(n, *info);
    BufferRef result = array.to_buffer();
    const auto duration = info_.frame_duration();
    if (GST_CLOCK_TIME_IS_VALID(duration)) {
        GST_BUFFER_PTS(result.get()) = gst_util_uint64_scale(n, GST_SECOND * info_.fps_d, info_.fps_n);
        GST_BUFFER_DURATION(result.get()) = duration;
        gst_object_sync_values(GST_OBJECT(gst()), GST_BUFFER_PTS(result.get()));
    }
    GST_BUFFER_OFFSET(result.get()) = n;
    GST_BUFFER_OFFSET_END(result.get()) = n + 1;
    if (std::exchange(discont_, false))
        GST_BUFFER_FLAG_SET(result.get(), GST_BUFFER_FLAG_DISCONT);
    describe_frame(n, *gst_buffer_add_tomo_frame_meta(result.get(), n, std::nan(""), GST_CLOCK_TIME_NONE, nullptr));
    if (needs_device()) {
        limit_frames_in_flight(array);
        if (!on_device_)
            array.storage()->prefetch();
    }
    *buffer = result.release();
    std::lock_guard<std::mutex> lock(lock_);
    next_ = n + 1;
    return GST_FLOW_OK;
}

std::optional<std::uint64_t> Source::to_frames(GstFormat format, std::int64_t value) const {
    if (value < 0)
        return {};
    if (format == GST_FORMAT_DEFAULT)
        return value;
    if (format == GST_FORMAT_TIME && info_.fps_n > 0)
        return gst_util_uint64_scale(value, info_.fps_n, GST_SECOND * info_.fps_d);
    return format == GST_FORMAT_TIME && value == 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
}

std::optional<std::int64_t> Source::from_frames(GstFormat format, std::uint64_t frames) const {
    if (format == GST_FORMAT_DEFAULT)
        return frames;
    if (format == GST_FORMAT_TIME && info_.fps_n > 0)
        return gst_util_uint64_scale(frames, GST_SECOND * info_.fps_d, info_.fps_n);
    return {};
}

// The segment is in time always; without a rate, frames have no time, and the segment keeps to whole frames by
// counting each as a nanosecond.
bool Source::prepare_seek(GstEvent *event, GstSegment *segment) {
    gdouble rate = 1;
    GstFormat format = GST_FORMAT_UNDEFINED;
    GstSeekFlags flags = GST_SEEK_FLAG_NONE;
    GstSeekType start_type = GST_SEEK_TYPE_NONE, stop_type = GST_SEEK_TYPE_NONE;
    gint64 start = 0, stop = -1;
    gst_event_parse_seek(event, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
    if (rate <= 0) {
        GST_WARNING_OBJECT(gst(), "seeking backwards is not possible");
        return false;
    }
    auto to_time = [&](GstSeekType type, std::int64_t value) -> std::optional<std::int64_t> {
        if (type != GST_SEEK_TYPE_SET || value < 0)
            return value;
        const auto frames = to_frames(format, value);
        if (!frames)
            return {};
        return info_.fps_n > 0 ? from_frames(GST_FORMAT_TIME, *frames) : static_cast<std::int64_t>(*frames);
    };
    const auto from = to_time(start_type, start), to = to_time(stop_type, stop);
    if (!from || !to || start_type == GST_SEEK_TYPE_END || stop_type == GST_SEEK_TYPE_END) {
        GST_WARNING_OBJECT(gst(), "can't seek in %s", gst_format_get_name(format));
        return false;
    }
    gboolean update = FALSE;
    gst_segment_init(segment, GST_FORMAT_TIME);
    return gst_segment_do_seek(segment, rate, GST_FORMAT_TIME, flags, start_type, *from, stop_type, *to, &update);
}

bool Source::seek(GstSegment *segment) {
    auto frames = [&](std::uint64_t time) -> std::uint64_t {
        // Rounded, because the time of a frame is rounded down.
        return info_.fps_n > 0 ? gst_util_uint64_scale_round(time, info_.fps_n, GST_SECOND * info_.fps_d) : time;
    };
    std::lock_guard<std::mutex> lock(lock_);
    next_ = frames(segment->start);
    stop_ = GST_CLOCK_TIME_IS_VALID(segment->stop) ? frames(segment->stop) : G_MAXUINT64;
    discont_ = true;
    segment->position = segment->start;
    return true;
}

bool Source::query(GstQuery *query) {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return handle_context_query(query);
    case GST_QUERY_DURATION: {
        GstFormat format = GST_FORMAT_UNDEFINED;
        gst_query_parse_duration(query, &format, nullptr);
        const auto count = guard(std::optional<std::uint64_t>{}, [&] { return frame_count(); });
        const auto value = count ? from_frames(format, *count) : std::nullopt;
        if (!value)
            return false;
        gst_query_set_duration(query, format, *value);
        return true;
    }
    case GST_QUERY_POSITION: {
        GstFormat format = GST_FORMAT_UNDEFINED;
        gst_query_parse_position(query, &format, nullptr);
        std::lock_guard<std::mutex> lock(lock_);
        const auto value = from_frames(format, next_);
        if (!value)
            return false;
        gst_query_set_position(query, format, *value);
        return true;
    }
    case GST_QUERY_SEEKING: {
        GstFormat format = GST_FORMAT_UNDEFINED;
        gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
        if (format != GST_FORMAT_DEFAULT && format != GST_FORMAT_TIME)
            return false;
        const auto count = guard(std::optional<std::uint64_t>{}, [&] { return frame_count(); });
        const auto end = count ? from_frames(format, *count) : std::nullopt;
        gst_query_set_seeking(query, format, format == GST_FORMAT_DEFAULT || info_.fps_n > 0, 0, end ? *end : -1);
        return true;
    }
    case GST_QUERY_CONVERT: {
        GstFormat from = GST_FORMAT_UNDEFINED, to = GST_FORMAT_UNDEFINED;
        gint64 value = 0;
        gst_query_parse_convert(query, &from, &value, &to, nullptr);
        const auto frames = to_frames(from, value);
        const auto converted = frames ? from_frames(to, *frames) : std::nullopt;
        if (!converted)
            return false;
        gst_query_set_convert(query, from, value, to, *converted);
        return true;
    }
    default:
        return false;
    }
}

} // namespace tomo
