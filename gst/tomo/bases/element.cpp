// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/bases/preroll-watch.hpp>
#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/bases/stream-walk.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/debug.hpp>

#include <algorithm>

#define GST_CAT_DEFAULT tomo::element_debug()

namespace tomo {

namespace {

// Which GStreamer element the C++ object under construction belongs to; null for the prototype from which a
// class learns its properties.
struct Birth {
    const Descriptor *descriptor = nullptr;
    GstElement *gst = nullptr;
};
thread_local Birth birth;

GQuark element_quark() {
    static const GQuark quark = g_quark_from_static_string("tomo-element");
    return quark;
}

GQuark descriptor_quark() {
    static const GQuark quark = g_quark_from_static_string("tomo-descriptor");
    return quark;
}

const Descriptor *descriptor_of(GType type) {
    return static_cast<const Descriptor *>(g_type_get_qdata(type, descriptor_quark()));
}

std::unique_ptr<Element> make(const Descriptor *descriptor, GstElement *gst) {
    birth = {descriptor, gst};
    auto element = descriptor->make();
    birth = {};
    return element;
}

// "flat-field-correct" to "FlatFieldCorrect".
std::string camel_case(const char *task) {
    std::string name;
    bool upper = true;
    for (; *task; task++) {
        if (*task != '-')
            name += upper ? g_ascii_toupper(*task) : *task;
        upper = *task == '-';
    }
    return name;
}

} // namespace

void Element::cancel(Cancel reason) {
    cancelled_ |= static_cast<unsigned>(reason);
    guard([&] { cancelled_changed(); });
}

void Element::go_on(Cancel reason) {
    cancelled_ &= ~static_cast<unsigned>(reason);
    guard([&] { cancelled_changed(); });
}

void Element::go_on() {
    cancelled_ = 0;
    guard([&] { cancelled_changed(); });
}

struct States {
    GstState current, pending;
};

static States states_of(GstElement *element) {
    GST_OBJECT_LOCK(element);
    const States states{GST_STATE(element), GST_STATE_PENDING(element)};
    GST_OBJECT_UNLOCK(element);
    return states;
}

Patience Element::patience() const {
    if (is_cancelled())
        return Patience::none;
    const auto states = states_of(outermost(gst_).get());
    // Not on the way to there: a pipeline that never gets its first image has to end.
    return states.current == GST_STATE_PAUSED && states.pending == GST_STATE_VOID_PENDING ? Patience::endless
                                                                                          : Patience::limited;
}

// Messages
// ----------------------------------------------------------------------------------------------------

void Element::warn(const std::string &message) {
    GST_WARNING_OBJECT(gst_, "%s", message.c_str());
    gst_element_message_full(gst_, GST_MESSAGE_WARNING, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
                             g_utf8_make_valid(message.c_str(), -1), nullptr, __FILE__, GST_FUNCTION,
                             __LINE__);
}

void Element::inform(const std::string &message) {
    GST_INFO_OBJECT(gst_, "%s", message.c_str());
    // gst-launch-1.0 prints the debug string of an information, and that alone.
    const CString valid(g_utf8_make_valid(message.c_str(), -1));
    const CString path(gst_object_get_path_string(GST_OBJECT(gst_)));
    const std::unique_ptr<GError, decltype(&g_error_free)> error(
        g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, valid.get()), g_error_free);
    gst_element_post_message(gst_, gst_message_new_info(GST_OBJECT(gst_), error.get(),
                                                        text("%s: %s", path.get(), valid.get()).c_str()));
}

// gst-launch-1.0 (1.22 to 1.26 at least) never ends when an error comes before its main loop runs, which is
// just after the state change that started the stream. So an error of the first moment waits for that to
// return; not for long, because the state change may be the one that waits for this thread.
void Element::let_start_return() const {
    const auto pipeline = outermost(gst_);
    for (int i = 0; i < 100 && !is_cancelled(); i++) {
        if (GST_STATE_TRYLOCK(pipeline.get())) {
            GST_STATE_UNLOCK(pipeline.get());
            break;
        }
        g_usleep(10000);
    }
    if (states_of(pipeline.get()).pending != GST_STATE_VOID_PENDING && !is_cancelled())
        g_usleep(50000);
}

void Element::post_error(const Error &error) {
    const std::lock_guard<std::recursive_mutex> lock(posting_);
    // What follows from an error says less than the error itself.
    if (failed_) {
        GST_INFO_OBJECT(gst_, "after an error: %s", error.what());
        return;
    }
    let_start_return();
    gst_element_message_full(gst_, GST_MESSAGE_ERROR, error.domain, error.code,
                             g_utf8_make_valid(error.what(), -1),
                             error.debug.empty() ? nullptr : g_utf8_make_valid(error.debug.c_str(), -1),
                             __FILE__, GST_FUNCTION, __LINE__);
    // Not before: other threads give their flow back then, of which upstream complains, too.
    failed_ = true;
}

void Element::post_message(GstStructure *structure) {
    gst_element_post_message(gst_, gst_message_new_element(GST_OBJECT(gst_), structure));
}

void Element::report_effective(const EffectiveValues &news) {
    const GstStructure *values = news.structure();
    {
        const std::lock_guard<std::mutex> lock(effective_lock_);
        if (!effective_)
            effective_.reset(gst_structure_new_empty(gst_structure_get_name(values)));
        if (gst_structure_is_subset(effective_.get(), values))
            return;
        gst_structure_foreach(
            values,
            [](GQuark field, const GValue *value, gpointer all) -> gboolean {
                gst_structure_id_set_value(static_cast<GstStructure *>(all), field, value);
                return TRUE;
            },
            effective_.get());
    }
    post_message(gst_structure_copy(values));
}

StructurePtr Element::effective_values() const {
    const std::lock_guard<std::mutex> lock(effective_lock_);
    return StructurePtr(effective_ ? gst_structure_copy(effective_.get()) : nullptr);
}

void Element::forget_effective() {
    const std::lock_guard<std::mutex> lock(effective_lock_);
    effective_.reset();
}

GstFlowReturn Element::guard_flow(const std::function<GstFlowReturn()> &f) noexcept {
    // Not GST_FLOW_CUSTOM_ERROR, with which an aggregator asks for more.
    const auto flow = guard<GstFlowReturn>(GST_FLOW_CUSTOM_ERROR_2, f);
    if (flow == GST_FLOW_CUSTOM_ERROR_2)
        return has_failed() ? GST_FLOW_ERROR : GST_FLOW_FLUSHING;
    return flow;
}

// Context and device
// ------------------------------------------------------------------------------------------

Element::Element() : Compute(nullptr, birth.gst), descriptor_(birth.descriptor), gst_(birth.gst) {}

Element::~Element() = default;

void Element::set_context(GstContext *given) {
    ObjectRef<GstTomoContext> context(gst_tomo_context_from_context(given));
    if (!context)
        return;
    std::lock_guard<std::recursive_mutex> lock(context_lock_);
    if (!has_device()) // one in use is never replaced
        context_ = context;
}

bool Element::handle_context_query(GstQuery *query) {
    const gchar *type = nullptr;
    gst_query_parse_context_type(query, &type);
    std::lock_guard<std::recursive_mutex> lock(context_lock_);
    if (g_strcmp0(type, GST_TOMO_CONTEXT_TYPE) != 0 || !context_)
        return false;
    GstContext *carrier = gst_tomo_context_to_context(context_.get());
    gst_query_set_context(query, carrier);
    gst_context_unref(carrier);
    return true;
}

std::shared_ptr<Device> Element::current_device() {
    std::lock_guard<std::recursive_mutex> lock(context_lock_);
    return has_device() ? device() : nullptr;
}

// Takes the device from the context at hand if it has the wanted one.
bool Element::look_for_context(const std::string &selector) {
    if (!context_)
        return false;
    const auto &context = context_of(context_.get());
    use_device(selector.empty() ? context->default_device() : context->find(selector));
    return has_device();
}

// Properties
// ----------------------------------------------------------------------------------------------------

static std::string written(const GValue *value) {
    if (G_VALUE_HOLDS_ENUM(value)) {
        const auto *klass = static_cast<const GEnumClass *>(g_type_class_peek(G_VALUE_TYPE(value)));
        const auto *option = g_enum_get_value(const_cast<GEnumClass *>(klass), g_value_get_enum(value));
        return option ? option->value_nick : std::to_string(g_value_get_enum(value));
    }
    const CString serialized(gst_value_serialize(value));
    return serialized ? serialized.get() : "this value";
}

void Element::check_may_change(const PropertyBase &property) const {
    const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
    if (is_frozen_ && property.when() == When::ready)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("property '%s' of '%s' can't change while the stream runs: stop it first "
                         "(state READY or NULL)",
                         property.name(), GST_OBJECT_NAME(gst_)));
}

void Element::set_property(PropertyBase *property, const GValue *value, GParamSpec *spec) {
    Value checked(G_PARAM_SPEC_VALUE_TYPE(spec));
    g_value_copy(value, checked.get());
    if (g_param_value_validate(spec, checked.get()))
        return refuse(*property, value, spec);
    std::unique_lock<std::recursive_mutex> lock(settings_lock_);
    try {
        check_may_change(*property);
    } catch (const Error &e) {
        Value current(G_PARAM_SPEC_VALUE_TYPE(spec));
        property->get(current.get());
        if (g_param_values_cmp(spec, current.get(), value) != 0)
            g_warning("%s; it stays %s", e.what(), written(current.get()).c_str());
        return;
    }
    refused_.erase(property);
    is_outdated_ = is_outdated_ || property->when() == When::ready;
    std::string problem;
    try {
        property->set(value);
        property_changed(property);
        return;
    } catch (...) {
        problem = current_error().what();
    }
    // The element is not what its properties say: it does not start, or ends its stream.
    problem =
        text("property '%s' can't become %s: %s", property->name(), written(value).c_str(), problem.c_str());
    if (following_ == g_thread_self()) {
        control_problem_ = problem;
    } else if (!is_frozen_) {
        refused_[property] = problem;
        g_warning("%s: %s", GST_OBJECT_NAME(gst_), problem.c_str());
    } else {
        lock.unlock(); // somebody who listens to the error may set properties
        post_error(Error(GST_LIBRARY_ERROR_FAILED, problem));
    }
}

void Element::refuse(const PropertyBase &property, const GValue *value, GParamSpec *spec) {
    const std::string problem = text("property '%s' does not take %s; wanted %s", property.name(),
                                     written(value).c_str(), describe_values(spec).c_str());
    bool runs = false;
    {
        const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
        runs = is_frozen_;
        if (following_ == g_thread_self()) {
            control_problem_ = problem;
            return;
        }
        if (!runs)
            refused_[&property] = problem;
    }
    Value current(G_PARAM_SPEC_VALUE_TYPE(spec));
    property.get(current.get());
    const std::string message = problem + ", and keeps " + written(current.get());
    g_warning("%s: %s", GST_OBJECT_NAME(gst_), message.c_str());
    if (runs)
        warn(message);
}

void Element::freeze_properties() {
    const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
    // With the default instead, the result would not be that of the line as it is written.
    if (!refused_.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, refused_.begin()->second);
    is_frozen_ = true;
}

void Element::thaw_properties() {
    const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
    is_frozen_ = false;
}

void Element::follow_time(GstClockTime stream_time) {
    if (!GST_CLOCK_TIME_IS_VALID(stream_time))
        return;
    {
        const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
        following_ = g_thread_self();
        control_problem_.clear();
    }
    gst_object_sync_values(GST_OBJECT(gst_), stream_time);
    const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
    following_ = nullptr;
    if (!control_problem_.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("at %" GST_TIME_FORMAT ": %s",
                                                     GST_TIME_ARGS(stream_time), control_problem_.c_str()));
}

void Element::adapt_at_frames(bool active) {
    adapts_at_frames_ = active;
    commit_properties();
}

void Element::commit_properties() {
    for (auto *property : properties_)
        property->commit();
}

bool Element::reopen() {
    {
        const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
        if (!is_outdated_)
            return true;
    }
    close();
    return open();
}

bool Element::open() {
    return guard(false, [&] {
        failed_ = false;
        use_threads();
        {
            const std::lock_guard<std::recursive_mutex> lock(settings_lock_);
            is_outdated_ = false;
        }
        if (!needs_device())
            return true;
        const std::string selector = device_selector;
        {
            // Recursive, because asking may come back as set_context.
            std::lock_guard<std::recursive_mutex> lock(context_lock_);
            if (!context_) // what the application gave before outlives state NULL
                if (GstContext *kept = gst_element_get_context(gst_, GST_TOMO_CONTEXT_TYPE)) {
                    context_ = ObjectRef<GstTomoContext>(gst_tomo_context_from_context(kept));
                    gst_context_unref(kept);
                }
            if (!has_device() && !look_for_context(selector)) {
                gst_element_post_message(
                    gst_, gst_message_new_need_context(GST_OBJECT(gst_), GST_TOMO_CONTEXT_TYPE));
                if (!look_for_context(selector)) {
                    const auto own = Context::create(selector);
                    const auto common = selector.empty() ? own : own->with_usual_default();
                    // A context for another platform is this element's own affair.
                    const bool is_news = !context_ && common;
                    use_device(own->default_device());
                    context_ = ObjectRef<GstTomoContext>(new_context_object(common ? common : own));
                    if (is_news)
                        gst_element_post_message(
                            gst_, gst_message_new_have_context(GST_OBJECT(gst_),
                                                               gst_tomo_context_to_context(context_.get())));
                }
            }
        }
        prepare();
        return true;
    });
}

void Element::close() {
    forget_input_formats();
    std::lock_guard<std::recursive_mutex> lock(context_lock_);
    if (has_device())
        guard([&] { device()->finish(); });
    use_device(nullptr);
    context_ = {};
}

UntilStopBase::UntilStopBase(Element *owner) { owner->add(this); }

void Element::stop_and_forget() noexcept {
    guard([&] { stop(); });
    for (auto *member : until_stop_)
        member->forget();
}

void Element::adopt(const std::shared_ptr<Device> &device) {
    GST_INFO_OBJECT(gst_, "moving to the device of the incoming memory, %s", device->name().c_str());
    stop_and_forget();
    {
        std::lock_guard<std::recursive_mutex> lock(context_lock_);
        use_device(device);
    }
    prepare();
    start();
    device_changed();
}

Array Element::import(GstBuffer *buffer, const ArrayInfo &info) {
    // The first buffer decides about the device: later there may be something on it, and inputs may differ.
    const bool first = !std::exchange(device_is_settled_, true);
    GstMemory *memory = gst_buffer_n_memory(buffer) == 1 ? gst_buffer_peek_memory(buffer, 0) : nullptr;
    const auto storage = memory ? storage_of(memory) : nullptr;
    if (storage && !gst_buffer_get_tomo_array_meta(buffer)) {
        if (first && (!has_device() || storage->device() != device()) && device_selector.value().empty())
            adopt(storage->device());
        // Kernels address whole samples, and only buffers of their own context.
        if (storage->device()->context() == device()->context() && memory->offset % info.sample_size() == 0) {
            if (memory->size != info.size())
                throw Error(GST_STREAM_ERROR_FORMAT,
                            text("a buffer of %zu bytes came where %s takes %zu",
                                 static_cast<std::size_t>(memory->size), info.describe().c_str(),
                                 static_cast<std::size_t>(info.size())));
            // Who keeps the array keeps the buffer, or the buffer's pool or another owner would write to it.
            struct Kept {
                std::shared_ptr<Storage> storage;
                BufferRef buffer;
            };
            const auto kept = std::make_shared<Kept>(Kept{storage, BufferRef::referenced(buffer)});
            return {info, std::shared_ptr<Storage>(kept, storage.get()), memory->offset};
        }
    }
    Array array = allocate(info);
    const Host<char> host(array);
    copy_packed(buffer, info, host.data());
    return array;
}

// Registration
// ------------------------------------------------------------------------------------------------

GstCaps *template_caps(unsigned set, FirstChoice first) {
    GValue names = G_VALUE_INIT;
    gst_value_list_init(&names, 0);
    for (int f = GST_TOMO_FORMAT_UINT8; f <= GST_TOMO_FORMAT_COMPLEX64; f++) {
        if (!(set & formats::bit(static_cast<GstTomoFormat>(f))))
            continue;
        GValue name = G_VALUE_INIT;
        g_value_init(&name, G_TYPE_STRING);
        g_value_set_static_string(&name, gst_tomo_format_to_string(static_cast<GstTomoFormat>(f)));
        gst_value_list_append_and_take_value(&names, &name);
    }
    GstStructure *s =
        gst_structure_new(GST_TOMO_ARRAY_MEDIA_TYPE, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height",
                          GST_TYPE_INT_RANGE, 1, G_MAXINT, "depth", GST_TYPE_INT_RANGE, 1, G_MAXINT,
                          "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, nullptr);
    if (gst_value_list_get_size(&names) == 1)
        gst_structure_set_value(s, "format", gst_value_list_get_value(&names, 0));
    else
        gst_structure_set_value(s, "format", &names);
    g_value_unset(&names);

    GstCaps *host = gst_caps_new_full(s, nullptr), *device = gst_caps_copy(host);
    gst_caps_set_features(device, 0, gst_caps_features_new(GST_TOMO_CAPS_FEATURE_MEMORY, nullptr));
    return first == FirstChoice::device ? gst_caps_merge(device, host) : gst_caps_merge(host, device);
}

Element *element_of(GstElement *gst) {
    return static_cast<Element *>(g_object_get_qdata(G_OBJECT(gst), element_quark()));
}

namespace {

gpointer parent_class_of(gpointer instance) {
    // The class above the registered leaf: one of the bases of this library.
    return g_type_class_peek(g_type_parent(G_OBJECT_TYPE(instance)));
}

void leaf_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
    auto *element = element_of(GST_ELEMENT(object));
    auto *property = element->property(id);
    if (!property) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        return;
    }
    element->set_property(property, value, spec);
}

void leaf_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
    auto *element = element_of(GST_ELEMENT(object));
    if (const auto *property = element->property(id))
        element->guard([&] { property->get(value); });
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void leaf_finalize(GObject *object) {
    const auto parent = G_OBJECT_CLASS(parent_class_of(object));
    std::unique_ptr<Element> element(static_cast<Element *>(g_object_steal_qdata(object, element_quark())));
    parent->finalize(object);
}

void leaf_set_context(GstElement *gst, GstContext *context) {
    auto *element = element_of(gst);
    element->guard([&] { element->set_context(context); });
    GST_ELEMENT_CLASS(parent_class_of(gst))->set_context(gst, context);
}

GstStateChangeReturn leaf_change_state(GstElement *gst, GstStateChange transition) {
    auto *element = element_of(gst);
    if (GST_STATE_TRANSITION_NEXT(transition) > GST_STATE_TRANSITION_CURRENT(transition) &&
        GST_STATE_TRANSITION_CURRENT(transition) <= GST_STATE_READY)
        element->go_on();
    if (transition == GST_STATE_CHANGE_NULL_TO_READY && !element->open()) {
        element->close();
        return GST_STATE_CHANGE_FAILURE;
    }
    const bool starts = transition == GST_STATE_CHANGE_READY_TO_PAUSED,
               stops = transition == GST_STATE_CHANGE_PAUSED_TO_READY;
    if (starts) {
        element->forget_error();
        if (!element->guard([&] { element->freeze_properties(); }))
            return GST_STATE_CHANGE_FAILURE;
        if (!element->reopen()) {
            element->thaw_properties();
            return GST_STATE_CHANGE_FAILURE;
        }
        element->allow_device_change();
        element->forget_effective();
        element->guard([&] { watch_preroll(gst); });
    }
    // Elements that wait for memory must not hold up the deactivation of their pads.
    if (stops)
        element->cancel(Cancel::stop);
    const auto result = GST_ELEMENT_CLASS(parent_class_of(gst))->change_state(gst, transition);
    if (stops || (starts && result == GST_STATE_CHANGE_FAILURE))
        element->thaw_properties();
    if (transition == GST_STATE_CHANGE_READY_TO_NULL)
        element->close();
    return result;
}

void fill_class(gpointer klass, gpointer data) {
    const auto *descriptor = static_cast<const Descriptor *>(data);
    const Info &info = *descriptor->info;
    auto *object_class = G_OBJECT_CLASS(klass);
    auto *element_class = GST_ELEMENT_CLASS(klass);
    g_type_set_qdata(G_TYPE_FROM_CLASS(klass), descriptor_quark(), const_cast<Descriptor *>(descriptor));

    object_class->set_property = leaf_set_property;
    object_class->get_property = leaf_get_property;
    object_class->finalize = leaf_finalize;
    element_class->set_context = leaf_set_context;
    element_class->change_state = leaf_change_state;

    const std::string type_name = "GstTomo" + camel_case(info.task);
    const auto prototype = make(descriptor, nullptr);
    guint id = 0;
    for (const auto *property : prototype->properties()) {
        id++; // also of one left out: it is the place in the list
        if (property == &prototype->device_selector && !prototype->needs_device())
            continue;
        GParamSpec *spec = property->make_spec(type_name);
        g_object_class_install_property(object_class, id, spec);
        if (G_IS_PARAM_SPEC_ENUM(spec))
            gst_type_mark_as_plugin_api(G_PARAM_SPEC_VALUE_TYPE(spec), static_cast<GstPluginAPIFlags>(0));
    }
    prototype->describe_pads(element_class);

    std::string words = info.task;
    std::replace(words.begin(), words.end(), '-', ' ');
    gst_element_class_set_metadata(element_class, ("Tomo " + words).c_str(), info.klass, info.blurb,
                                   "The gst-tomo developers");
    gst_element_class_add_metadata(element_class, "tomo-task", info.task);
    gst_element_class_add_metadata(element_class, "tomo-details", info.details);
    gst_element_class_add_metadata(element_class, "tomo-example", info.example);
}

void leaf_class_init(gpointer klass, gpointer data) {
    or_end_process(static_cast<const Descriptor *>(data)->info->task, [&] { fill_class(klass, data); });
}

void leaf_instance_init(GTypeInstance *instance, gpointer klass) {
    auto *gst = GST_ELEMENT(instance);
    const auto *descriptor = descriptor_of(G_TYPE_FROM_CLASS(klass));
    or_end_process(descriptor->info->task, [&] {
        auto element = make(descriptor, gst);
        auto *raw = element.release(); // taken back in leaf_finalize
        g_object_set_qdata(G_OBJECT(gst), element_quark(), raw);
        raw->attach();
    });
}

} // namespace

GType element_type(const Descriptor &descriptor) {
    const GType parent = descriptor.parent();
    GTypeQuery query;
    g_type_query(parent, &query);
    GTypeInfo type_info = {};
    type_info.class_size = query.class_size;
    type_info.instance_size = query.instance_size;
    type_info.class_init = leaf_class_init;
    type_info.class_data = &descriptor;
    type_info.instance_init = leaf_instance_init;
    const std::string camel = "GstTomo" + camel_case(descriptor.info->task);
    if (const GType known = g_type_from_name(camel.c_str()))
        return known;
    return g_type_register_static(parent, camel.c_str(), &type_info, static_cast<GTypeFlags>(0));
}

gboolean register_element(GstPlugin *plugin, const Descriptor &descriptor) {
    std::string name = std::string("tomo") + descriptor.info->task;
    name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
    return gst_element_register(plugin, name.c_str(), GST_RANK_NONE, element_type(descriptor));
}

} // namespace tomo
