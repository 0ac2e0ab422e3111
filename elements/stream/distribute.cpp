// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "distribution.hpp"

#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/device/device-list.hpp>

#include <algorithm>
#include <map>

using namespace tomo;

namespace {

enum class OnFailure { error, go_on };

// One part of a description, in the order of the stream.
struct Line {
    ObjectRef<GstElement> bin;          // with pads sink and src
    std::vector<GstElement *> elements; // of the bin
};

class Distribute final : public Element {
  public:
    static constexpr Info info{
        .task = "distribute",
        .klass = "Filter/Effect",
        .blurb = "Computes arrays on several devices at once, by copies of a part of a pipeline",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(Each device has a copy of the elements of `description`. Each array goes to a copy that is free, so a fast device
takes more of them. Results come out in the order of the arrays, with their times, numbers and metas. They are the bytes that the
elements give without this one, where the devices are of one model with one driver.

The elements of `description` stand in one row, and each gives one array for each, by this array alone. A source, a sink, a
reducer, a join and an element that keeps something of earlier arrays are refused. `capsfilter` and `queue` may stand among them.

Properties of these elements are set by `description`, or as properties of a child, by the element's name or task:
`ELEMENT::PROPERTY=VALUE`. While the stream runs, all copies take a change between the arrays that have come and those that will.

An error of a copy ends the stream. With `on-failure=continue` it is a warning, and other copies do the arrays of that one again. Where
all of them have failed, that is an error. A copy that failed gets its next chance when the pipeline goes to READY and starts again.

[docs/devices.md](../devices.md) tells more.)",
        .example =
            "tomoread path=sinograms ! tomodistribute description='tomorampfilter ! tomobackproject' ! "
            "tomowrite filename=slices.h5:/data\n"
            "tomoread path=projections ! tomodistribute devices=0 description='tomomedianfilter name=m' m::size=5 ! "
            "tomowrite filename=smooth.tif",
    };

    Property<std::string> description{
        this, "description", "", When::ready,
        "Elements that run on each device, as gst-launch-1.0 takes them: \"tomorampfilter ! tomobackproject\""};
    Property<std::string> devices{
        this, "devices", "", When::ready,
        "OpenCL devices, with commas between: all, gpu, cpu, indices, and parts of names, which mean all devices that have "
        "them. Not set: environment variable GST_TOMO_DEVICES, else all"};
    Choice<OnFailure> on_failure{
        this,
        "on-failure",
        OnFailure::error,
        {{OnFailure::error, "error", "The stream ends with an error"},
         {OnFailure::go_on, "continue", "Others do the arrays again, as long as a copy is left"}},
        When::ready,
        "What an error of one of the copies does"};

    Property<bool> whole_groups{
        this, "whole-groups", false, When::ready,
        "Whether each device takes as many arrays as its elements compute at once, even where few come in all: then the number of "
        "devices changes no bits of elements that compute so many in another way than fewer"};
    Property<std::uint64_t> max_memory{
        this, "max-memory", Automatic{0}, When::ready,
        "Most bytes of arrays under way, if each device has some; 0: an eighth of the devices' memory"};

    static GType parent_type();
    bool needs_device() const override { return false; }
    void describe_pads(GstElementClass *klass) const override;
    void attach() override { distribution_.attach(GST_BIN(gst())); }
    void property_changed(PropertyBase *property) override;

    void make_copies();
    void remove_copies() { distribution_.remove_copies(); }
    // To PAUSED.
    void begin();
    void halt() { distribution_.stop(); }
    // Takes a message of an element within; hands it on, another one or nothing.
    void look_at(GstMessage *message);

    // The elements of the description, whose properties all copies have; null where there is none.
    ObjectRef<GObject> child(const std::string &name);
    ObjectRef<GObject> child(std::size_t index);
    std::size_t children();

  private:
    Line parse(const std::string &line) const;
    static std::vector<GstElement *> in_order(GstElement *bin);
    void copy_properties(const Line &line) const;
    static void changed(GObject *element, GParamSpec *spec, gpointer self);
    bool is_news(int copy, const std::string &words);
    void hand_to_bin(GstMessage *message);

    stream::Distribution distribution_{*this};
    std::mutex model_lock_;
    Line model_;                   // never starts; holds the values of properties
    std::optional<Error> problem_; // why there is none
    bool is_outdated_ = false; // the copies are, which were made of another description or for other devices
    std::mutex told_lock_;
    std::map<std::string, int> told_; // by copies, to people
};

// Description
// ----------------------------------------------------------------------------------------------------

// Throws Error unless the elements stand in one row.
std::vector<GstElement *> Distribute::in_order(GstElement *bin) {
    std::vector<GstElement *> elements;
    const auto no_row = [] {
        return Error(GST_LIBRARY_ERROR_SETTINGS,
                     "the elements of description have to stand in one row, from one input to one output");
    };
    const ObjectRef<GstPad> first(gst_element_get_static_pad(bin, "sink")),
        last(gst_element_get_static_pad(bin, "src"));
    if (!first || !last || bin->numsinkpads != 1 || bin->numsrcpads != 1)
        throw no_row();
    ObjectRef<GstPad> sink(gst_ghost_pad_get_target(GST_GHOST_PAD(first.get())));
    const ObjectRef<GstPad> end(gst_ghost_pad_get_target(GST_GHOST_PAD(last.get())));
    while (sink) {
        const ObjectRef<GstElement> element(gst_pad_get_parent_element(sink.get()));
        if (!element || element->numsinkpads != 1 || element->numsrcpads != 1)
            throw no_row();
        elements.push_back(element.get());
        auto *src = GST_PAD(element->srcpads->data);
        if (src == end.get())
            break;
        sink = ObjectRef<GstPad>(gst_pad_get_peer(src));
    }
    if (elements.size() != static_cast<std::size_t>(GST_BIN_NUMCHILDREN(bin)))
        throw no_row();
    return elements;
}

Line Distribute::parse(const std::string &written) const {
    GError *raw = nullptr;
    auto *bin = gst_parse_bin_from_description_full(written.c_str(), TRUE, nullptr,
                                                    GST_PARSE_FLAG_FATAL_ERRORS, &raw);
    const std::unique_ptr<GError, decltype(&g_error_free)> error(raw, g_error_free);
    Line line;
    if (bin)
        line.bin = ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(bin)));
    if (error || !bin)
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("description=%s: %s", written.c_str(),
                                                     error ? error->message : "is no line of elements"));
    // Elements that can't be distributed first: they are why there may be no row.
    for (GList *i = g_list_last(GST_BIN_CHILDREN(line.bin.get())); i; i = i->prev) {
        auto *element = GST_ELEMENT(i->data);
        const auto why = why_not_side_by_side(element);
        const auto *factory = gst_element_get_factory(element);
        const char *name = factory ? GST_OBJECT_NAME(factory) : G_OBJECT_TYPE_NAME(element);
        if (!why.empty())
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s can't run in copies side by side: it %s", name, why.c_str()));
        const auto *ours = element_of(element);
        if (ours && !ours->device_selector.value().empty())
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s has device=%s, but `devices` says where copies run", name,
                             ours->device_selector.value().c_str()));
    }
    line.elements = in_order(line.bin.get());
    return line;
}

void Distribute::property_changed(PropertyBase *property) {
    if (property != &description && property != &devices)
        return;
    const std::lock_guard<std::mutex> lock(model_lock_);
    is_outdated_ = true;
    if (property == &devices)
        return;
    model_ = {};
    problem_ = {};
    distribution_.set_caps({}, {});
    if (description.value().empty())
        return;
    try {
        model_ = parse(description);
    } catch (const Error &e) {
        problem_ = e; // the element does not start
        return;
    }
    for (auto *element : model_.elements)
        g_signal_connect(element, "notify", G_CALLBACK(changed), this);
    const auto caps_at = [&](const char *name) {
        const ObjectRef<GstPad> pad(gst_element_get_static_pad(model_.bin.get(), name));
        return CapsRef(gst_pad_query_caps(pad.get(), nullptr));
    };
    distribution_.set_caps(caps_at("sink"), caps_at("src"));
}

// Copies
// ---------------------------------------------------------------------------------------------------------

// What an application may set on the elements of the description.
static bool is_for_all(const GParamSpec *spec) {
    const std::string name = spec->name;
    return (spec->flags & G_PARAM_WRITABLE) && (spec->flags & G_PARAM_READABLE) &&
           !(spec->flags & G_PARAM_CONSTRUCT_ONLY) && name != "name" && name != "parent" && name != "device";
}

void Distribute::copy_properties(const Line &line) const {
    for (std::size_t i = 0; i < model_.elements.size(); i++) {
        auto *from = G_OBJECT(model_.elements[i]), *to = G_OBJECT(line.elements[i]);
        guint count = 0;
        const std::unique_ptr<GParamSpec *, decltype(&g_free)> specs(
            g_object_class_list_properties(G_OBJECT_GET_CLASS(from), &count), g_free);
        for (guint n = 0; n < count; n++) {
            auto *spec = specs.get()[n];
            if (!is_for_all(spec))
                continue;
            Value wanted(spec->value_type), there(spec->value_type);
            g_object_get_property(from, spec->name, wanted.get());
            g_object_get_property(to, spec->name, there.get());
            if (g_param_values_cmp(spec, wanted.get(), there.get()) != 0)
                g_object_set_property(to, spec->name, wanted.get());
        }
    }
}

void Distribute::make_copies() {
    const std::lock_guard<std::mutex> lock(model_lock_);
    if (problem_)
        throw *problem_;
    if (model_.elements.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "description is not set: it has the elements that run on each device, as in "
                    "description=\"tomorampfilter ! tomobackproject\"");
    const auto found = all_devices();
    const auto chosen = choose_devices(found, devices);
    is_outdated_ = false;
    try {
        for (const auto index : chosen) {
            const auto line = parse(description);
            gst_object_set_name(GST_OBJECT(line.bin.get()), text("device-%zu", index).c_str());
            copy_properties(line);
            for (auto *element : line.elements)
                if (element_of(element) && element_of(element)->needs_device())
                    g_object_set(element, "device", std::to_string(index).c_str(), nullptr);
            distribution_.add_copy(line.bin, line.elements,
                                   text("device %zu (%s)", index, found[index].name.c_str()));
        }
    } catch (...) {
        distribution_.remove_copies();
        throw;
    }
}

void Distribute::begin() {
    if (is_outdated_) {
        distribution_.remove_copies();
        make_copies();
    }
    {
        const std::lock_guard<std::mutex> lock(told_lock_);
        told_.clear();
    }
    distribution_.reset(on_failure == OnFailure::go_on, whole_groups, max_memory);
}

// Properties of the elements
// ----------------------------------------------------------------------------------------

void Distribute::changed(GObject *element, GParamSpec *spec, gpointer self) {
    auto *distribute = static_cast<Distribute *>(self);
    distribute->guard([&] {
        if (!is_for_all(spec) || distribute->is_outdated_) // new copies take all values
            return;
        auto &elements = distribute->model_.elements;
        const std::size_t place =
            std::find(elements.begin(), elements.end(), GST_ELEMENT(element)) - elements.begin();
        if ((spec->flags & GST_PARAM_MUTABLE_READY) && distribute->distribution_.runs()) {
            g_warning(
                "%s: property '%s' of %s can't change while the stream runs: it is taken at the next start",
                GST_OBJECT_NAME(distribute->gst()), spec->name, GST_OBJECT_NAME(element));
            return;
        }
        const auto value = std::make_shared<Value>(spec->value_type);
        g_object_get_property(element, spec->name, value->get());
        distribute->distribution_.change([place, value, name = std::string(spec->name)](const auto &copy) {
            g_object_set_property(G_OBJECT(copy[place]), name.c_str(), value->get());
        });
    });
}

static std::string factory_of(GstElement *element) {
    const auto *factory = gst_element_get_factory(element);
    return factory ? GST_OBJECT_NAME(factory) : "";
}

// By its name; by the name of its factory or task and the number among those that have it, counted from 0,
// which is left out for the first one.
ObjectRef<GObject> Distribute::child(const std::string &name) {
    const std::lock_guard<std::mutex> lock(model_lock_);
    const auto found = [](GstElement *element) {
        return ObjectRef<GObject>(G_OBJECT(gst_object_ref(element)));
    };
    for (auto *element : model_.elements)
        if (name == GST_OBJECT_NAME(element))
            return found(element);
    std::map<std::string, unsigned> counts;
    for (auto *element : model_.elements) {
        const auto *task = gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element), "tomo-task");
        for (const std::string &kind : {factory_of(element), std::string(task ? task : "")}) {
            const unsigned number = counts[kind]++;
            if (!kind.empty() && (name == kind + std::to_string(number) || (number == 0 && name == kind)))
                return found(element);
        }
    }
    return {};
}

ObjectRef<GObject> Distribute::child(std::size_t index) {
    const std::lock_guard<std::mutex> lock(model_lock_);
    if (index >= model_.elements.size())
        return {};
    return ObjectRef<GObject>(G_OBJECT(gst_object_ref(model_.elements[index])));
}

std::size_t Distribute::children() {
    const std::lock_guard<std::mutex> lock(model_lock_);
    return model_.elements.size();
}

// Messages
// -------------------------------------------------------------------------------------------------------

// Whether no other copy has said so.
bool Distribute::is_news(int copy, const std::string &words) {
    const std::lock_guard<std::mutex> lock(told_lock_);
    return told_.emplace(words, copy).first->second == copy;
}

struct Told {
    std::unique_ptr<GError, decltype(&g_error_free)> error{nullptr, g_error_free};
    CString details;
};

static Told told_by(GstMessage *message, void (*parse)(GstMessage *, GError **, gchar **)) {
    GError *error = nullptr;
    gchar *details = nullptr;
    parse(message, &error, &details);
    Told told;
    told.error.reset(error);
    told.details = CString(details);
    return told;
}

void Distribute::look_at(GstMessage *message) {
    const int copy = distribution_.copy_of(GST_MESSAGE_SRC(message));
    const auto hand_on = [&](bool goes) { goes ? hand_to_bin(message) : gst_message_unref(message); };
    if (copy < 0)
        return hand_on(true);
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: {
        const auto told = told_by(message, gst_message_parse_error);
        std::string words;
        switch (distribution_.judge(copy, *told.error, words)) {
        case stream::Distribution::Verdict::post:
            hand_on(true);
            return distribution_.told();
        case stream::Distribution::Verdict::warn:
            hand_on(false);
            warn(words);
            return distribution_.told();
        default:
            return hand_on(false);
        }
    }
    case GST_MESSAGE_WARNING:
        return hand_on(is_news(copy, told_by(message, gst_message_parse_warning).error->message));
    case GST_MESSAGE_INFO:
        return hand_on(is_news(copy, told_by(message, gst_message_parse_info).error->message));
    case GST_MESSAGE_ELEMENT: {
        const auto *structure = gst_message_get_structure(message);
        if (!gst_structure_has_name(structure, "tomo-effective"))
            return hand_on(true);
        const CString words(gst_structure_to_string(structure));
        return hand_on(is_news(copy, words.get()));
    }
    default:
        return hand_on(true);
    }
}

} // namespace

// GObject
// --------------------------------------------------------------------------------------------------------

struct GstTomoDistributeBin {
    GstBin parent;
};
struct GstTomoDistributeBinClass {
    GstBinClass parent;
};

static void gst_tomo_distribute_bin_child_proxy_init(gpointer iface, gpointer);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE(GstTomoDistributeBin, gst_tomo_distribute_bin, GST_TYPE_BIN,
                                 G_IMPLEMENT_INTERFACE(GST_TYPE_CHILD_PROXY,
                                                       gst_tomo_distribute_bin_child_proxy_init))

static Distribute *distribute_of(gpointer gst) {
    return static_cast<Distribute *>(element_of(GST_ELEMENT_CAST(gst)));
}

static GstStateChangeReturn gst_tomo_distribute_bin_change_state(GstElement *gst, GstStateChange transition) {
    auto *distribute = distribute_of(gst);
    if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
        !distribute->guard([&] { distribute->make_copies(); }))
        return GST_STATE_CHANGE_FAILURE;
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !distribute->guard([&] { distribute->begin(); }))
        return GST_STATE_CHANGE_FAILURE;
    // Threads that wait must not hold up the pads.
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        distribute->halt();
    const auto result =
        GST_ELEMENT_CLASS(gst_tomo_distribute_bin_parent_class)->change_state(gst, transition);
    const bool failed = result == GST_STATE_CHANGE_FAILURE;
    if (failed && transition == GST_STATE_CHANGE_READY_TO_PAUSED)
        distribute->halt();
    if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
        (failed && transition == GST_STATE_CHANGE_NULL_TO_READY))
        distribute->guard([&] { distribute->remove_copies(); });
    return result;
}

static void gst_tomo_distribute_bin_handle_message(GstBin *bin, GstMessage *message) {
    auto *distribute = distribute_of(bin);
    distribute->guard([&] { distribute->look_at(message); });
}

static void gst_tomo_distribute_bin_init(GstTomoDistributeBin *) {}

static void gst_tomo_distribute_bin_class_init(GstTomoDistributeBinClass *klass) {
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_distribute_bin_change_state;
    GST_BIN_CLASS(klass)->handle_message = gst_tomo_distribute_bin_handle_message;
}

static GObject *gst_tomo_distribute_bin_get_child_by_name(GstChildProxy *parent, const gchar *name) {
    return distribute_of(parent)->child(std::string(name)).release();
}

static GObject *gst_tomo_distribute_bin_get_child_by_index(GstChildProxy *parent, guint index) {
    return distribute_of(parent)->child(std::size_t{index}).release();
}

static guint gst_tomo_distribute_bin_get_children_count(GstChildProxy *parent) {
    return distribute_of(parent)->children();
}

static void gst_tomo_distribute_bin_child_proxy_init(gpointer iface, gpointer) {
    auto *proxy = static_cast<GstChildProxyInterface *>(iface);
    proxy->get_child_by_name = gst_tomo_distribute_bin_get_child_by_name;
    proxy->get_child_by_index = gst_tomo_distribute_bin_get_child_by_index;
    proxy->get_children_count = gst_tomo_distribute_bin_get_children_count;
}

void Distribute::hand_to_bin(GstMessage *message) {
    GST_BIN_CLASS(gst_tomo_distribute_bin_parent_class)->handle_message(GST_BIN(gst()), message);
}

GType Distribute::parent_type() { return gst_tomo_distribute_bin_get_type(); }

void Distribute::describe_pads(GstElementClass *klass) const {
    const CapsRef arrays(template_caps(formats::all));
    for (const auto direction : {GST_PAD_SINK, GST_PAD_SRC})
        gst_element_class_add_pad_template(klass,
                                           gst_pad_template_new(direction == GST_PAD_SINK ? "sink" : "src",
                                                                direction, GST_PAD_ALWAYS, arrays.get()));
}

TOMO_ELEMENT(Distribute)
