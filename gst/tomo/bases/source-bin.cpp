// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source-bin.hpp>

#include <algorithm>

struct GstTomoSourceBin {
    GstBin parent;
};
struct GstTomoSourceBinClass {
    GstBinClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoSourceBin, gst_tomo_source_bin, GST_TYPE_BIN)

static tomo::SourceBin *bin_of(gpointer gst) {
    return static_cast<tomo::SourceBin *>(tomo::element_of(GST_ELEMENT_CAST(gst)));
}

static GstStateChangeReturn gst_tomo_source_bin_change_state(GstElement *gst, GstStateChange transition) {
    auto *bin = bin_of(gst);
    const bool starts = transition == GST_STATE_CHANGE_READY_TO_PAUSED;
    if (starts && !bin->guard([&] { bin->activate(); }))
        return GST_STATE_CHANGE_FAILURE;
    const auto result = GST_ELEMENT_CLASS(gst_tomo_source_bin_parent_class)->change_state(gst, transition);
    if (starts && result != GST_STATE_CHANGE_FAILURE && !bin->start_sources())
        return GST_STATE_CHANGE_FAILURE;
    if (GST_STATE_TRANSITION_NEXT(transition) <= GST_STATE_READY)
        bin->deactivate();
    return result;
}

// A source has left the bin when its error is read, and leads nobody to the element that the user knows.
static void gst_tomo_source_bin_handle_message(GstBin *bin, GstMessage *message) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GError *raw = nullptr;
        gchar *debug = nullptr;
        gst_message_parse_error(message, &raw, &debug);
        const std::unique_ptr<GError, decltype(&g_error_free)> error(raw, g_error_free);
        const tomo::CString details(debug);
        gst_message_unref(message);
        message = gst_message_new_error(GST_OBJECT(bin), error.get(), details.get());
    }
    GST_BIN_CLASS(gst_tomo_source_bin_parent_class)->handle_message(bin, message);
}

static void gst_tomo_source_bin_init(GstTomoSourceBin *self) {
    // A source even while it holds none: what is behind it has to start before.
    gst_bin_set_suppressed_flags(
        GST_BIN(self), static_cast<GstElementFlags>(GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK));
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void gst_tomo_source_bin_class_init(GstTomoSourceBinClass *klass) {
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_source_bin_change_state;
    GST_BIN_CLASS(klass)->handle_message = gst_tomo_source_bin_handle_message;
}

namespace tomo {

GType SourceBin::parent_type() { return gst_tomo_source_bin_get_type(); }

void SourceBin::describe_pads(GstElementClass *klass) const {
    const CapsRef out(template_caps(info().out));
    std::string optional;
    for (const auto &output : outputs()) {
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new(output.name, GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
        if (output.is_optional)
            optional += (optional.empty() ? "" : " ") + std::string(output.name);
    }
    gst_element_class_add_metadata(klass, "tomo-optional-outputs", optional.c_str());
}

void SourceBin::attach() {
    for (const auto &output : outputs()) {
        auto *templ = gst_element_get_pad_template(gst(), output.name);
        auto *pad = gst_ghost_pad_new_no_target_from_template(output.name, templ);
        gst_element_add_pad(gst(), pad);
        parts_.push_back({pad, nullptr});
    }
}

void SourceBin::activate() {
    forget_error();
    if (active_)
        throw Error(GST_CORE_ERROR_STATE_CHANGE,
                    "some outputs could not be started before; set the state to READY or NULL first");
    const auto is_linked = [](const Part &part) { return gst_pad_is_linked(part.pad); };
    if (std::none_of(parts_.begin(), parts_.end(), is_linked)) {
        std::string names;
        for (const auto &output : outputs())
            names += (names.empty() ? "" : ", ") + std::string(output.name);
        throw Error(GST_CORE_ERROR_PAD, "no output is linked; there are " + names);
    }
    active_ = true;
    try {
        start();
        for (auto &part : parts_)
            add_source(part);
    } catch (...) { // nothing runs yet
        deactivate();
        throw;
    }
}

void SourceBin::add_source(Part &part) {
    auto made = source(GST_PAD_NAME(part.pad));
    const auto selector = device_selector.value();
    g_object_set(made.get(), "device", selector.empty() ? nullptr : selector.c_str(), nullptr);
    gst_bin_add(GST_BIN(gst()), made.get());
    part.source = made.get();
    const ObjectRef<GstPad> target(gst_element_get_static_pad(part.source, "src"));
    gst_ghost_pad_set_target(GST_GHOST_PAD(part.pad), target.get());
    gst_element_set_locked_state(part.source, TRUE);
    g_signal_connect_object(part.pad, "linked", G_CALLBACK(linked), part.source, GConnectFlags(0));
}

// Not by the bin: where one fails it takes the others down, whose threads may wait for sinks, and so waits
// for ever. After this failure sinks are taken down first, and then this element.
bool SourceBin::start_sources() {
    for (auto &part : parts_) {
        if (!gst_pad_is_linked(part.pad))
            continue;
        if (gst_element_set_state(part.source, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
            return false;
        gst_element_set_locked_state(part.source, FALSE);
    }
    return true;
}

// While the element plays.
void SourceBin::linked(GstPad *, GstPad *, GstElement *source) {
    gst_element_set_locked_state(source, FALSE);
    gst_element_sync_state_with_parent(source);
}

void SourceBin::deactivate() noexcept {
    if (!std::exchange(active_, false))
        return;
    for (auto &part : parts_) {
        auto *source = std::exchange(part.source, nullptr);
        if (!source)
            continue;
        g_signal_handlers_disconnect_by_func(part.pad, reinterpret_cast<gpointer>(linked), source);
        gst_ghost_pad_set_target(GST_GHOST_PAD(part.pad), nullptr);
        gst_element_set_locked_state(source, TRUE);
        gst_element_set_state(source, GST_STATE_NULL);
        gst_bin_remove(GST_BIN(gst()), source);
    }
    stop_and_forget();
}

} // namespace tomo
