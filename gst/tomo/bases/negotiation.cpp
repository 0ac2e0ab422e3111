// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

bool is_on_device(const GstCaps *caps) {
    return gst_caps_features_contains(gst_caps_get_features(caps, 0), GST_TOMO_CAPS_FEATURE_MEMORY);
}

// What a link lacks
// -------------------------------------------------------------------------------------------------

static constexpr const char *video_media = "video/x-raw";

static bool has_media(const GstCaps *caps, const char *media) {
    for (guint i = 0; i < gst_caps_get_size(caps); i++)
        if (gst_structure_has_name(gst_caps_get_structure(caps, i), media))
            return true;
    return false;
}

// The array formats among them, in the order of GstTomoFormat.
static std::vector<GstTomoFormat> array_formats(const GstCaps *caps) {
    std::vector<GstTomoFormat> formats;
    for (int f = GST_TOMO_FORMAT_UINT8; f <= GST_TOMO_FORMAT_COMPLEX64; f++) {
        const auto format = static_cast<GstTomoFormat>(f);
        const CapsRef one(gst_caps_new_simple(GST_TOMO_ARRAY_MEDIA_TYPE, "format", G_TYPE_STRING,
                                              gst_tomo_format_to_string(format), nullptr));
        gst_caps_set_features(one.get(), 0, gst_caps_features_new_any());
        if (gst_caps_can_intersect(one.get(), caps))
            formats.push_back(format);
    }
    return formats;
}

static bool is_on_device_only(const GstCaps *caps) {
    for (guint i = 0; i < gst_caps_get_size(caps); i++)
        if (!gst_caps_features_contains(gst_caps_get_features(caps, i), GST_TOMO_CAPS_FEATURE_MEMORY))
            return false;
    return true;
}

static bool takes_any_memory(const GstCaps *caps) {
    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        const auto *features = gst_caps_get_features(caps, i);
        if (gst_caps_features_is_any(features) ||
            gst_caps_features_contains(features, GST_TOMO_CAPS_FEATURE_MEMORY))
            return true;
    }
    return false;
}

// Whether they would fit if all of it were in the same memory.
static bool differ_in_memory_alone(const GstCaps *given, const GstCaps *taken) {
    const CapsRef anywhere(gst_caps_copy(given));
    for (guint i = 0; i < gst_caps_get_size(anywhere.get()); i++)
        gst_caps_set_features(anywhere.get(), i, gst_caps_features_new_any());
    return is_on_device_only(given) && !takes_any_memory(taken) &&
           gst_caps_can_intersect(anywhere.get(), taken);
}

std::string describe_caps(const GstCaps *caps) {
    if (gst_caps_is_any(caps))
        return "anything";
    if (gst_caps_is_empty(caps))
        return "nothing";
    if (!has_media(caps, GST_TOMO_ARRAY_MEDIA_TYPE))
        return has_media(caps, video_media) ? "video (video/x-raw)" : to_string(caps);
    const auto formats = array_formats(caps);
    constexpr std::size_t all_real = GST_TOMO_FORMAT_FLOAT64 - GST_TOMO_FORMAT_UINT8 + 1;
    std::string list = formats.size() == all_real && formats.back() == GST_TOMO_FORMAT_FLOAT64
                           ? "real numbers (uint8 to float64)"
                           : "";
    for (std::size_t i = 0; i < formats.size() && formats.size() != all_real; i++)
        list += (i == 0                    ? ""
                 : i + 1 == formats.size() ? " or "
                                           : ", ") +
                std::string(gst_tomo_format_to_string(formats[i]));
    return (list.empty() ? "arrays" : "arrays of " + list) +
           (has_media(caps, video_media) ? ", and video" : "");
}

std::string link_advice(const GstCaps *given, const GstCaps *taken) {
    if (gst_caps_is_any(given) || gst_caps_is_any(taken) || gst_caps_is_empty(given) ||
        gst_caps_is_empty(taken))
        return {};
    const bool gives_arrays = has_media(given, GST_TOMO_ARRAY_MEDIA_TYPE),
               takes_arrays = has_media(taken, GST_TOMO_ARRAY_MEDIA_TYPE);
    if (gives_arrays && !takes_arrays)
        return has_media(taken, video_media) ? ": put tomoconvert between, which makes video of arrays"
                                             : ": tomowrite writes arrays, tomoconvert makes video of them";
    if (!gives_arrays && takes_arrays)
        return has_media(given, video_media)
                   ? ": put tomoconvert between, which makes arrays of video"
                   : ": tomoread reads arrays from files; decoded video becomes arrays in tomoconvert";
    if (!gives_arrays)
        return {};
    const auto from = array_formats(given), to = array_formats(taken);
    const auto is_complex = [](GstTomoFormat f) { return f == GST_TOMO_FORMAT_COMPLEX64; };
    const auto has = [](const std::vector<GstTomoFormat> &formats, GstTomoFormat wanted) {
        return std::find(formats.begin(), formats.end(), wanted) != formats.end();
    };
    const bool fit = std::any_of(from.begin(), from.end(), [&](GstTomoFormat f) { return has(to, f); });
    if (!fit && std::all_of(from.begin(), from.end(), is_complex))
        return ": put tomoifft between, which makes images of spectra";
    if (!fit && std::all_of(to.begin(), to.end(), is_complex))
        return ": put tomofft between, which makes spectra of images";
    if (!fit && has(to, GST_TOMO_FORMAT_FLOAT32))
        return ": put tomocalculate expression=v between, which gives float32";
    if (fit && differ_in_memory_alone(given, taken))
        return " in the host's memory, and these are on the device (memory:TomoCL): put tomodownload between";
    return {};
}

// The input that in the end takes what comes here, behind queues and the like.
static ObjectRef<GstPad> final_input(ObjectRef<GstPad> sink) {
    while (GST_PAD_IS_PROXY_CAPS(sink.get())) {
        const ObjectRef<GstElement> element(gst_pad_get_parent_element(sink.get()));
        const ObjectRef<GstPad> source(element ? gst_element_get_static_pad(element.get(), "src") : nullptr);
        ObjectRef<GstPad> next(source ? gst_pad_get_peer(source.get()) : nullptr);
        if (!next)
            break;
        sink = std::move(next);
    }
    return sink;
}

CapsRef choose_output_caps(GstPad *src, const ArrayInfo &out, OutputPlace place) {
    std::vector<CapsRef> offers;
    if (place != OutputPlace::host)
        offers.emplace_back(out.to_caps(true));
    if (place != OutputPlace::device)
        offers.emplace_back(out.to_caps(false));
    const ObjectRef<GstPad> peer(gst_pad_get_peer(src));
    if (!peer)
        return offers.front();
    // The peer's order counts, and that of the offers where it takes anything.
    const CapsRef accepted(gst_pad_query_caps(peer.get(), nullptr));
    if (gst_caps_is_any(accepted.get()))
        return offers.front();
    for (guint i = 0; i < gst_caps_get_size(accepted.get()); i++) {
        const CapsRef choice(gst_caps_copy_nth(accepted.get(), i));
        for (const auto &offer : offers)
            if (gst_caps_can_intersect(offer.get(), choice.get()))
                return offer;
    }
    const GstCaps *given = offers.front().get();
    const auto input = final_input(peer);
    const std::string advice = link_advice(given, accepted.get());
    const auto in_words = [&](const GstCaps *caps) {
        return advice.empty() ? to_string(caps) : describe_caps(caps);
    };
    throw Error(GST_CORE_ERROR_NEGOTIATION,
                text("gives %s, but %s:%s takes %s%s", in_words(given).c_str(),
                     GST_DEBUG_PAD_NAME(input.get()), in_words(accepted.get()).c_str(), advice.c_str()));
}

void check_accepts(GstPad *sink, const GstCaps *caps) {
    const CapsRef accepted(gst_pad_get_pad_template_caps(sink));
    if (!gst_caps_can_intersect(caps, accepted.get()))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("pad %s got %s, but takes %s%s", GST_PAD_NAME(sink), to_string(caps).c_str(),
                         to_string(accepted.get()).c_str(), link_advice(caps, accepted.get()).c_str()));
}

static bool propose_allocation(Element &element, GstQuery *query) {
    GstCaps *caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    const auto opened = element.current_device();
    if (!caps || !opened || !element.needs_device() ||
        !gst_structure_has_name(gst_caps_get_structure(caps, 0), GST_TOMO_ARRAY_MEDIA_TYPE))
        return false;
    return element.guard(false, [&] {
        const auto info = ArrayInfo::from_caps(caps);
        const ObjectRef<GstTomoDevice> device(new_device_object(opened));
        const ObjectRef<GstAllocator> allocator(gst_tomo_allocator_new(device.get()));
        const ObjectRef<GstBufferPool> pool(gst_tomo_buffer_pool_new(device.get()));
        GstStructure *config = gst_buffer_pool_get_config(pool.get());
        gst_buffer_pool_config_set_params(config, caps, info.size(), 0, 0);
        gst_buffer_pool_set_config(pool.get(), config);
        gst_query_add_allocation_pool(query, pool.get(), info.size(), 0, 0);
        gst_query_add_allocation_param(query, allocator.get(), nullptr);
        gst_query_add_allocation_meta(query, GST_TOMO_ARRAY_META_API_TYPE, nullptr);
        return true;
    });
}

void answer_caps_query(GstQuery *query, CapsRef caps) {
    GstCaps *filter = nullptr;
    gst_query_parse_caps(query, &filter);
    if (filter)
        caps = CapsRef(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
    gst_query_set_caps_result(query, caps.get());
}

bool answer_sink_query(Element &element, GstPad *sink, GstQuery *query) {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return element.handle_context_query(query);
    case GST_QUERY_CAPS:
        answer_caps_query(query, CapsRef(gst_pad_get_pad_template_caps(sink)));
        return true;
    case GST_QUERY_ACCEPT_CAPS:
        // Refused with a reason when they come, instead of with none here.
        gst_query_set_accept_caps_result(query, TRUE);
        return true;
    case GST_QUERY_ALLOCATION:
        return propose_allocation(element, query);
    default:
        return false;
    }
}

static constexpr const char *flow_query = "gst-tomo-flow", *interruption_query = "gst-tomo-interruption",
                            *early_end_query = "gst-tomo-early-end";

static bool is_custom_query(GstQuery *query, const char *name) {
    const GstStructure *s =
        GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM ? gst_query_get_structure(query) : nullptr;
    return s && gst_structure_has_name(s, name);
}

static bool ask(GstPad *sink, GstStructure *question) {
    const QueryRef query(gst_query_new_custom(GST_QUERY_CUSTOM, question));
    return gst_pad_peer_query(sink, query.get());
}

bool is_flow_query(GstQuery *query) { return is_custom_query(query, flow_query); }

bool flows_by_itself(GstPad *sink, bool event_passes) {
    return ask(
        sink, gst_structure_new(flow_query, "event-passes", G_TYPE_BOOLEAN, gboolean{event_passes}, nullptr));
}

bool is_interruption_query(GstQuery *query) { return is_custom_query(query, interruption_query); }

bool may_end_anywhere(GstPad *sink) {
    const QueryRef latency(gst_query_new_latency());
    gboolean live = FALSE;
    if (gst_pad_peer_query(sink, latency.get()))
        gst_query_parse_latency(latency.get(), &live, nullptr, nullptr);
    return live || ask(sink, gst_structure_new_empty(interruption_query));
}

std::string incomplete_set_text(unsigned arrays) {
    return text("the stream ended within a set: the last %u array%s make%s no complete one and %s left out",
                arrays, arrays == 1 ? "" : "s", arrays == 1 ? "s" : "", arrays == 1 ? "is" : "are");
}

std::string Interruption::in_words() const {
    if (came && announced)
        return text("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " arrays came from the source", *came,
                    *announced);
    return came ? text("%" G_GUINT64_FORMAT " arrays came from the source", *came)
                : "not all arrays came from the source";
}

bool is_early_end_query(GstQuery *query) { return is_custom_query(query, early_end_query); }

bool is_ending_early(GstPad *sink) { return ask(sink, gst_structure_new_empty(early_end_query)); }

void answer_interruption(GstQuery *query, const Interruption &interruption) {
    GstStructure *answer = gst_query_writable_structure(query);
    if (interruption.came)
        gst_structure_set(answer, "came", G_TYPE_UINT64, guint64{*interruption.came}, nullptr);
    if (interruption.announced)
        gst_structure_set(answer, "announced", G_TYPE_UINT64, guint64{*interruption.announced}, nullptr);
}

std::optional<Interruption> interruption_of(GstPad *sink) {
    const QueryRef query(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(interruption_query)));
    if (!gst_pad_peer_query(sink, query.get()))
        return {};
    const GstStructure *answer = gst_query_get_structure(query.get());
    Interruption interruption;
    guint64 number = 0;
    if (gst_structure_get_uint64(answer, "came", &number))
        interruption.came = number;
    if (gst_structure_get_uint64(answer, "announced", &number))
        interruption.announced = number;
    return interruption;
}

GstClockTime stream_time(const GstSegment &segment, GstClockTime pts) {
    return segment.format == GST_FORMAT_TIME ? gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts)
                                             : GST_CLOCK_TIME_NONE;
}

static bool stays_true(GType api, Pixels pixels) {
    static const GQuark memory = g_quark_from_static_string(GST_META_TAG_MEMORY_STR),
                        size = g_quark_from_static_string("size"), // as GStreamer's video library has them
        orientation = g_quark_from_static_string("orientation");
    if (gst_meta_api_type_has_tag(api, memory))
        return false;
    return pixels == Pixels::same ||
           !(gst_meta_api_type_has_tag(api, size) || gst_meta_api_type_has_tag(api, orientation));
}

static void copy_meta(GstBuffer *from, GstMeta *meta, GstBuffer *to) {
    GstMetaTransformCopy copy = {FALSE, 0, static_cast<gsize>(-1)};
    if (meta->info->transform_func)
        meta->info->transform_func(to, meta, from, _gst_meta_transform_copy, &copy);
}

void copy_frame_metadata(GstBuffer *from, GstBuffer *to, Pixels pixels) {
    gst_buffer_copy_into(
        to, from, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS), 0, -1);
    gpointer state = nullptr;
    while (GstMeta *meta = gst_buffer_iterate_meta(from, &state))
        if (stays_true(meta->info->api, pixels))
            copy_meta(from, meta, to);
}

void copy_foreign_metas(GstBuffer *from, GstBuffer *to) {
    gpointer state = nullptr;
    while (GstMeta *meta = gst_buffer_iterate_meta(from, &state))
        if (meta->info->api != GST_TOMO_FRAME_META_API_TYPE && stays_true(meta->info->api, Pixels::moved))
            copy_meta(from, meta, to);
}

void number_output(GstBuffer *output, const ArrayInfo &info, std::uint64_t n, std::uint64_t index) {
    GST_BUFFER_DTS(output) = GST_BUFFER_DURATION(output) = GST_CLOCK_TIME_NONE;
    if (GST_BUFFER_PTS_IS_VALID(output) && info.fps_n > 0) {
        GST_BUFFER_PTS(output) += gst_util_uint64_scale(n, GST_SECOND * info.fps_d, info.fps_n);
        GST_BUFFER_DURATION(output) = info.frame_duration();
    }
    GST_BUFFER_OFFSET(output) = index;
    GST_BUFFER_OFFSET_END(output) = index + 1;
    auto *meta = gst_buffer_get_tomo_frame_meta(output);
    if (!meta)
        meta = gst_buffer_add_tomo_frame_meta(output, index, std::nan(""), GST_CLOCK_TIME_NONE, nullptr);
    meta->index = index;
}

Seek::Seek(GstEvent *event) {
    gst_event_parse_seek(event, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
}

const char *Seek::problem(bool has_rate) const {
    if (rate <= 0)
        return "backwards";
    if (flags & GST_SEEK_FLAG_INSTANT_RATE_CHANGE)
        return "by changing the rate at once";
    if (format != GST_FORMAT_DEFAULT && format != GST_FORMAT_TIME)
        return "in other formats than time and frames (default)";
    if (start_type == GST_SEEK_TYPE_END || stop_type == GST_SEEK_TYPE_END)
        return "from the end";
    if (format == GST_FORMAT_TIME && !has_rate && ((sets_start() && start > 0) || (sets_stop() && stop >= 0)))
        return "in time without a frame rate; put a caps filter with one behind, or seek in frames";
    if (sets_start() && sets_stop() && stop >= 0 && start > stop)
        return "with a start behind the stop";
    return nullptr;
}

} // namespace tomo
