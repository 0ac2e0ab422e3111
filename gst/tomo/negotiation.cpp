// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/negotiation.hpp>

#include <cmath>

namespace tomo {

bool is_on_device(const GstCaps *caps) {
    return gst_caps_features_contains(gst_caps_get_features(caps, 0), GST_TOMO_CAPS_FEATURE_MEMORY);
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
    throw Error(GST_CORE_ERROR_NEGOTIATION,
                text("gives %s, but %s:%s takes %s", to_string(offers.front().get()).c_str(),
                     GST_DEBUG_PAD_NAME(peer.get()), to_string(accepted.get()).c_str()));
}

void check_accepts(GstPad *sink, const GstCaps *caps) {
    const CapsRef accepted(gst_pad_get_pad_template_caps(sink));
    if (!gst_caps_can_intersect(caps, accepted.get()))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("pad %s got %s, but takes %s", GST_PAD_NAME(sink), to_string(caps).c_str(),
                         to_string(accepted.get()).c_str()));
}

static bool propose_allocation(Element &element, GstQuery *query) {
    GstCaps *caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    if (!caps || !element.needs_device() ||
        !gst_structure_has_name(gst_caps_get_structure(caps, 0), GST_TOMO_ARRAY_MEDIA_TYPE))
        return false;
    return element.guard(false, [&] {
        const auto info = ArrayInfo::from_caps(caps);
        const ObjectRef<GstTomoDevice> device(new_device_object(element.device()));
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

bool answer_sink_query(Element &element, GstPad *sink, GstQuery *query) {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return element.handle_context_query(query);
    case GST_QUERY_CAPS: {
        GstCaps *filter = nullptr;
        gst_query_parse_caps(query, &filter);
        CapsRef caps(gst_pad_get_pad_template_caps(sink));
        if (filter)
            caps = CapsRef(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
        gst_query_set_caps_result(query, caps.get());
        return true;
    }
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

static constexpr const char *flow_query = "gst-tomo-flow";

bool is_flow_query(GstQuery *query) {
    const GstStructure *s =
        GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM ? gst_query_get_structure(query) : nullptr;
    return s && gst_structure_has_name(s, flow_query);
}

bool flows_by_itself(GstPad *sink, bool event_passes) {
    const QueryRef query(gst_query_new_custom(
        GST_QUERY_CUSTOM,
        gst_structure_new(flow_query, "event-passes", G_TYPE_BOOLEAN, gboolean{event_passes}, nullptr)));
    return gst_pad_peer_query(sink, query.get());
}

void push_before_buffers(GstPad *src, std::vector<EventRef> &events) {
    gst_pad_add_probe(
        src, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *pad, GstPadProbeInfo *, gpointer waiting) {
            for (auto &event : std::exchange(*static_cast<std::vector<EventRef> *>(waiting), {}))
                gst_pad_push_event(pad, event.release());
            return GST_PAD_PROBE_OK;
        },
        &events, nullptr);
}

void copy_frame_metadata(GstBuffer *from, GstBuffer *to) {
    gst_buffer_copy_into(
        to, from, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS), 0, -1);
    static const GQuark memory_tag = g_quark_from_static_string(GST_META_TAG_MEMORY_STR);
    gpointer state = nullptr;
    while (GstMeta *meta = gst_buffer_iterate_meta(from, &state)) {
        if (!meta->info->transform_func || gst_meta_api_type_has_tag(meta->info->api, memory_tag))
            continue;
        GstMetaTransformCopy copy = {FALSE, 0, static_cast<gsize>(-1)};
        meta->info->transform_func(to, meta, from, _gst_meta_transform_copy, &copy);
    }
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

void stop_end_of_broken_stream(GstPad *src) {
    gst_pad_add_probe(
        src, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *pad, GstPadProbeInfo *info, gpointer) {
            const ObjectRef<GstElement> parent(gst_pad_get_parent_element(pad));
            const bool broken = parent && element_of(parent.get()) && element_of(parent.get())->has_failed();
            return broken && GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS
                       ? GST_PAD_PROBE_DROP
                       : GST_PAD_PROBE_OK;
        },
        nullptr, nullptr);
}

} // namespace tomo
