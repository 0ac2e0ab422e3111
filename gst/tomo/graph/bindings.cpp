// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/graph/bindings.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

// Properties
// --------------------------------------------------------------------------------------------------

static std::string plugin_of(GstElement *element) {
    GstElementFactory *factory = gst_element_get_factory(element);
    return factory ? plugin_name(factory) : G_OBJECT_TYPE_NAME(element);
}

GParamSpec *require_result(GstElement *element, const std::string &name) {
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str());
    if (spec && (spec->flags & G_PARAM_READABLE))
        return spec;
    if (spec)
        graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                    text("property '%s' of '%s' can't be read", name.c_str(), plugin_of(element).c_str()));
    guint count = 0;
    const std::unique_ptr<GParamSpec *, Free> all(
        g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count));
    std::vector<std::string> names;
    for (guint i = 0; i < count; i++)
        if (all.get()[i]->flags & G_PARAM_READABLE)
            names.emplace_back(all.get()[i]->name);
    graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                text("'%s' has no property '%s'%s", plugin_of(element).c_str(), name.c_str(),
                     suggestion(name, names).c_str()));
}

GParamSpec *require_target(GstElement *element, const std::string &name) {
    GParamSpec *spec = require_property(element, name);
    if (spec->flags & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED))
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' of '%s' can't change while the stream runs", spec->name,
                         plugin_of(element).c_str()));
    return spec;
}

using TieRef = std::shared_ptr<LiveBinding>;

// Ties
// --------------------------------------------------------------------------------------------------------

LiveBinding::LiveBinding(GstElement *source, GParamSpec *result, GstElement *target, GParamSpec *property,
                         TargetPosition position)
    : source_(ObjectRef<GstElement>::referenced(source)), target_(ObjectRef<GstElement>::referenced(target)),
      result_(result), property_(property), position_(position) {}

std::string LiveBinding::name() const {
    return text("property '%s' of node '%s'", result_->name, GST_OBJECT_NAME(source_.get()));
}

static std::vector<ObjectRef<GstPad>> pads_of(GstElement *element, GstPadDirection direction) {
    std::vector<ObjectRef<GstPad>> pads;
    GST_OBJECT_LOCK(element);
    for (GList *i = element->pads; i; i = i->next)
        if (GST_PAD_DIRECTION(i->data) == direction)
            pads.push_back(ObjectRef<GstPad>::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(element);
    return pads;
}

gulong LiveBinding::probe(GstPad *pad, GstPadProbeType type, GstPadProbeCallback callback) {
    const gulong id = gst_pad_add_probe(pad, type, callback, new TieRef(shared_from_this()),
                                        [](gpointer data) { delete static_cast<TieRef *>(data); });
    probes_.emplace_back(PadRef::referenced(pad), id);
    return id;
}

constexpr auto data_probe =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

void LiveBinding::connect() {
    const std::string signal = std::string("notify::") + result_->name;
    handler_ = g_signal_connect_data(
        source_.get(), signal.c_str(),
        G_CALLBACK(+[](GObject *, GParamSpec *, gpointer binding) { binding_of(binding).on_notify(); }),
        new TieRef(shared_from_this()), [](gpointer data, GClosure *) { delete static_cast<TieRef *>(data); },
        static_cast<GConnectFlags>(0));

    // Where copies of the target run, their arrays come to the element that runs them.
    const auto runner = runner_of_copies(target_.get());
    GstElement *gate = runner ? runner.get() : target_.get();
    if (position_ == TargetPosition::downstream) {
        for (const auto &pad : pads_of(source_.get(), GST_PAD_SRC))
            probe(pad.get(), data_probe, [](GstPad *p, GstPadProbeInfo *, gpointer binding) {
                binding_of(binding).send(p);
                return GST_PAD_PROBE_OK;
            });
        // A flush takes values away that have not got to the target yet; who has them does not mind.
        for (const auto &pad : pads_of(source_.get(), GST_PAD_SRC))
            probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_FLUSH,
                  [](GstPad *p, GstPadProbeInfo *info, gpointer binding) {
                      if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP)
                          binding_of(binding).send_again(p);
                      return GST_PAD_PROBE_OK;
                  });
        // Elements of this library may have arrays to process that came before the event.
        Element *own = element_of(gate);
        const bool takes_itself = dynamic_cast<Transform *>(own) || dynamic_cast<Joiner *>(own);
        for (const auto &pad : pads_of(gate, GST_PAD_SINK))
            if (!takes_itself)
                probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                      [](GstPad *, GstPadProbeInfo *info, gpointer binding) {
                          const bool taken =
                              take_bound_value(binding_of(binding).target(), GST_PAD_PROBE_INFO_EVENT(info));
                          return taken ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
                      });
    }
    if (position_ != TargetPosition::other_branch)
        return;
    for (const auto &pad : pads_of(gate, GST_PAD_SINK))
        probe(pad.get(), data_probe, [](GstPad *p, GstPadProbeInfo *, gpointer binding) {
            binding_of(binding).hold(p);
            return GST_PAD_PROBE_OK;
        });
    auto outputs = pads_of(source_.get(), GST_PAD_SRC);
    for (const auto &pad : outputs.empty() ? pads_of(source_.get(), GST_PAD_SINK) : outputs) {
        ends_[pad.get()] = false;
        probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
              [](GstPad *p, GstPadProbeInfo *info, gpointer data) {
                  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
                      LiveBinding &binding = binding_of(data);
                      std::lock_guard<std::mutex> lock(binding.lock_);
                      binding.ends_[p] = true;
                  }
                  return GST_PAD_PROBE_OK;
              });
    }
}

void LiveBinding::disconnect() {
    if (handler_)
        g_signal_handler_disconnect(source_.get(), std::exchange(handler_, 0));
    for (const auto &[pad, id] : std::exchange(probes_, {}))
        gst_pad_remove_probe(pad.get(), id);
    ends_.clear();
}

void LiveBinding::reset() {
    std::lock_guard<std::mutex> lock(lock_);
    has_value_ = failed_ = false;
    newest_ = {};
    taken_count_ = value_count_;
    for (auto &[pad, count] : sent_)
        count = value_count_;
    for (auto &[pad, end] : ends_)
        end = false;
}

void LiveBinding::fail(const std::string &message) {
    if (failed_.exchange(true))
        return;
    gst_element_message_full(target_.get(), GST_MESSAGE_ERROR, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                             g_strdup(message.c_str()), nullptr, __FILE__, GST_FUNCTION, __LINE__);
}

static bool is_nan(const GValue *value) {
    return (G_VALUE_HOLDS_DOUBLE(value) && std::isnan(g_value_get_double(value))) ||
           (G_VALUE_HOLDS_FLOAT(value) && std::isnan(g_value_get_float(value)));
}

void LiveBinding::on_notify() {
    Value told(G_PARAM_SPEC_VALUE_TYPE(result_)), value;
    g_object_get_property(G_OBJECT(source_.get()), result_->name, told.get());
    try {
        if (is_nan(told.get()))
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("it is NaN, so '%s' has found no value; property '%s' wants %s",
                             GST_OBJECT_NAME(source_.get()), property_->name,
                             describe_values(property_).c_str()));
        const auto plain = value_to_json(result_, told.get());
        if (!plain)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "it is nothing that can be written down");
        value = value_from_json(property_, *plain);
    } catch (const Error &e) {
        return fail(text("%s can't be handed on to property '%s' of node '%s': %s", name().c_str(),
                         property_->name, GST_OBJECT_NAME(target_.get()), e.what()));
    }
    std::unique_lock<std::mutex> lock(lock_);
    value_count_++;
    if (position_ == TargetPosition::downstream) {
        newest_ = std::move(value);
        return;
    }
    lock.unlock();
    set(value.get());
    lock.lock();
    has_value_ = true;
    changed_.notify_all();
}

void LiveBinding::set(const GValue *value) {
    g_object_set_property(G_OBJECT(target_.get()), property_->name, value);
}

void LiveBinding::send(GstPad *pad) {
    std::unique_lock<std::mutex> lock(lock_);
    guint64 &sent = sent_[pad];
    if (sent == value_count_ || !G_IS_VALUE(newest_.get()))
        return;
    sent = value_count_;
    EventRef event = bound_value_event(shared_from_this(), value_count_, newest_.get());
    lock.unlock();
    gst_pad_push_event(pad, event.release());
}

void LiveBinding::send_again(GstPad *pad) {
    std::lock_guard<std::mutex> lock(lock_);
    sent_[pad] = 0;
}

void LiveBinding::deliver(guint64 number, const GValue *value) {
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (number <= taken_count_)
            return;
        taken_count_ = number;
    }
    set(value);
}

bool LiveBinding::has_ended() {
    std::lock_guard<std::mutex> lock(lock_);
    return std::all_of(ends_.begin(), ends_.end(), [](const auto &end) {
        if (!end.second)
            return false;
        // A sink may still be telling what it has found out at the end.
        if (GST_PAD_DIRECTION(end.first) == GST_PAD_SRC)
            return true;
        if (!GST_PAD_STREAM_TRYLOCK(end.first))
            return false;
        GST_PAD_STREAM_UNLOCK(end.first);
        return true;
    });
}

void LiveBinding::hold(GstPad *pad) {
    waiting_ = g_thread_self();
    while (!has_value_ && !GST_PAD_IS_FLUSHING(pad)) {
        if (has_ended() && !has_value_)
            fail(text("waits for %s, which has ended without telling any value", name().c_str()));
        std::unique_lock<std::mutex> lock(lock_);
        changed_.wait_for(lock, std::chrono::milliseconds(20), [this] { return has_value_.load(); });
    }
    waiting_ = nullptr;
}

} // namespace tomo
