// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "taps.hpp"

#include <gst/tomo/bases/side-by-side.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>

namespace tool {

using tomo::Json;

// Of a pad, or of that of all copies. The stream may hold one longer than Taps do.
struct Tap {
    std::string node, name;
    bool is_input;
    std::atomic<guint64> arrays{0};
    tomo::reconstruction::Preview preview;
    std::vector<std::pair<tomo::ObjectRef<GstPad>, gulong>> probes;
};

namespace {

using Shared = std::shared_ptr<Tap>;

GstPadProbeReturn pass(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    auto &tap = **static_cast<Shared *>(data);
    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
        tap.arrays += gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
        return GST_PAD_PROBE_OK;
    }
    const auto number = tap.arrays++;
    if (tap.is_input)
        tap.preview.offer(pad, GST_PAD_PROBE_INFO_BUFFER(info), number);
    return GST_PAD_PROBE_OK;
}

} // namespace

Taps::~Taps() {
    for (const auto &[node, handler] : handlers_)
        g_signal_handler_disconnect(node.get(), handler);
    const std::lock_guard<std::mutex> lock(lock_);
    for (const auto &tap : taps_)
        for (const auto &[pad, probe] : tap->probes)
            gst_pad_remove_probe(pad.get(), probe);
}

void Taps::connect(GstElement *to, const char *signal, GCallback callback) {
    handlers_.emplace_back(tomo::ObjectRef<GstElement>::referenced(to),
                           g_signal_connect(to, signal, callback, this));
}

void Taps::watch(GstElement *node) {
    connect(node, "pad-added",
            G_CALLBACK(+[](GstElement *element, GstPad *pad, Taps *self) { self->add(element, pad); }));
    add_pads(node, node);
    const auto runner = tomo::runner_of_copies(node);
    const bool is_known = std::any_of(handlers_.begin(), handlers_.end(), [&](const auto &handler) {
        return handler.first.get() == runner.get();
    });
    // All originals in it are nodes. Their copies come with the start.
    if (runner && !is_known)
        connect(runner.get(), "deep-element-added",
                G_CALLBACK(+[](GstElement *, GstElement *, GstElement *element, Taps *self) {
                    if (auto *original = tomo::original_of(element))
                        self->add_pads(original, element);
                }));
}

void Taps::add_pads(GstElement *node, GstElement *of) {
    std::vector<tomo::ObjectRef<GstPad>> pads;
    GST_OBJECT_LOCK(of);
    for (GList *i = of->pads; i; i = i->next)
        pads.push_back(tomo::ObjectRef<GstPad>::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(of);
    for (const auto &pad : pads)
        add(node, pad.get());
}

void Taps::add(GstElement *node, GstPad *pad) {
    const std::lock_guard<std::mutex> lock(lock_);
    const std::string of = GST_OBJECT_NAME(node), name = GST_OBJECT_NAME(pad);
    auto known = std::find_if(taps_.begin(), taps_.end(),
                              [&](const auto &tap) { return tap->node == of && tap->name == name; });
    if (known == taps_.end()) {
        known = taps_.insert(known, std::make_shared<Tap>());
        (*known)->node = of;
        (*known)->name = name;
        (*known)->is_input = GST_PAD_DIRECTION(pad) == GST_PAD_SINK;
    }
    const auto probe = gst_pad_add_probe(
        pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST), pass,
        new Shared(*known), +[](gpointer data) { delete static_cast<Shared *>(data); });
    (*known)->probes.emplace_back(tomo::ObjectRef<GstPad>::referenced(pad), probe);
}

Json Taps::counts() const {
    std::map<std::string, guint64> in, out;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        for (const auto &tap : taps_) {
            auto &most = (tap->is_input ? in : out)[tap->node];
            most = std::max(most, tap->arrays.load());
        }
    }
    in.merge(out); // what only one of them has
    for (const auto &[node, arrays] : out)
        in[node] = arrays;
    Json counts = Json::object();
    for (const auto &[node, arrays] : in)
        counts.set(node, Json::integer(arrays));
    return counts;
}

void Taps::ask(const std::string &node, const std::string &input, const std::string &path) {
    const std::lock_guard<std::mutex> lock(lock_);
    bool is_node = false;
    for (const auto &tap : taps_) {
        is_node |= tap->node == node;
        if (tap->is_input && tap->node == node && (input.empty() || tap->name == input)) {
            tap->preview.ask(path);
            return;
        }
    }
    throw std::runtime_error(!is_node        ? "there is no node '" + node + "'"
                             : input.empty() ? "node '" + node + "' has no input"
                                             : "node '" + node + "' has no input '" + input + "'");
}

std::vector<Taps::Taken> Taps::take(bool is_over) {
    std::vector<Taken> taken;
    const std::lock_guard<std::mutex> lock(lock_);
    for (const auto &tap : taps_) {
        while (auto image = tap->preview.take())
            taken.push_back({image->first, std::move(image->second), tap->node, tap->name});
        if (is_over)
            for (const auto &path : tap->preview.unserved())
                taken.push_back({path, {}, tap->node, tap->name});
    }
    return taken;
}

} // namespace tool
