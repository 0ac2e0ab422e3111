// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "distribution.hpp"

#include "control-bindings.hpp"

#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/device/device-list.hpp>

#include <algorithm>
#include <map>

using namespace tomo;

namespace {

enum class OnFailure { error, go_on };

// Elements in the order of the stream.
struct Line {
    ObjectRef<GstElement> bin;          // with pads sink and src
    std::vector<GstElement *> elements; // of the bin
};

class Distribute final : public Element, public WithCopies {
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

An input of one of these elements beside the main one, such as `initial` and `mask` of iterations, is an input of this element with
the same name: array n of it goes to the copy that gets array n. Where it ends, the last array is for all that follow. Inputs are
asked for before the start.

Properties of these elements are set by `description`, or as properties of a child, by the element's name or task:
`ELEMENT::PROPERTY=VALUE`. While the stream runs, all copies take a change between the arrays that have come and those that will.

An error of a copy ends the stream. With `on-failure=continue` it is a warning, and other copies do the arrays of that one again. Where
all of them have failed, that is an error, and so is a device without memory, which has not failed. A copy that failed gets its next chance when the pipeline goes to READY and starts again.

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
    bool is_result_wanted() const override {
        return Element::is_result_wanted() && distribution_.is_result_wanted();
    }
    void describe_pads(GstElementClass *klass) const override;
    void attach() override {
        distribution_.attach(GST_BIN(gst()));
        distribution_.before_arrays([this] { follow_controllers(); });
    }
    void property_changed(PropertyBase *property) override;

    std::vector<ObjectRef<GstElement>> originals() const override;
    bool is_described() const override { return !description.value().empty(); }
    void set_originals(const std::vector<ObjectRef<GstElement>> &elements) override;
    std::vector<Copy> copies() const override { return distribution_.copies(); }
    bool is_at_work() const override { return distribution_.is_at_work(); }
    bool is_full() const override { return distribution_.takes_no_more(); }

    void make_copies();
    void remove_copies() {
        distribution_.remove_copies();
        controlled_.clear();
    }
    // To PAUSED.
    void begin();
    void halt() { distribution_.stop(); }
    void forget_side_inputs() {
        for (const auto &input : side_inputs_)
            input->clear();
    }
    // Takes a message of an element within; hands it on, another one or nothing.
    void look_at(GstMessage *message);

    GstPad *request_pad(GstPadTemplate *templ, const char *name);
    void release_pad(GstPad *pad);

    // The originals; null where there is none.
    ObjectRef<GObject> child(const std::string &name);
    ObjectRef<GObject> child(std::size_t index);
    std::size_t children();

  private:
    Line parse(const std::string &line) const;
    static std::vector<GstElement *> in_order(GstElement *bin);
    void take_model(Line line);
    Line copy_for(std::size_t device) const;
    static void changed(GObject *element, GParamSpec *spec, gpointer self);
    void follow_controllers();
    bool is_news(int copy, const std::string &words);
    void hand_to_bin(GstMessage *message);

    stream::Distribution distribution_{*this};
    std::vector<std::unique_ptr<SideInput>> side_inputs_; // some may have lost their pads
    mutable std::mutex model_lock_;
    Line model_;                   // the originals
    std::optional<Error> problem_; // why there is none
    bool is_outdated_ = false; // the copies are, which were made of another description or for other devices
    stream::Controlled controlled_; // as the copies follow it
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

// Throws Error if there can be no copies of the element.
static void need_copyable(GstElement *element) {
    const auto why = why_not_side_by_side(element);
    const auto *factory = gst_element_get_factory(element);
    const char *name = factory ? GST_OBJECT_NAME(factory) : G_OBJECT_TYPE_NAME(element);
    if (!why.empty() || !factory)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s can't run in copies side by side: it %s", name,
                         why.empty() ? "has no factory, which could make others" : why.c_str()));
    const auto *ours = element_of(element);
    if (ours && !ours->device_selector.value().empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, text("%s has device=%s, but `devices` says where copies run",
                                                     name, ours->device_selector.value().c_str()));
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
    for (GList *i = g_list_last(GST_BIN_CHILDREN(line.bin.get())); i; i = i->prev)
        need_copyable(GST_ELEMENT(i->data));
    line.elements = in_order(line.bin.get());
    return line;
}

static void add_ghost(GstElement *bin, const char *name, GstElement *element) {
    const ObjectRef<GstPad> pad(gst_element_get_static_pad(element, name));
    gst_element_add_pad(bin, gst_ghost_pad_new(name, pad.get()));
}

// A bin of elements in one row. Throws Error if they can't be linked.
static Line line_of(const std::vector<ObjectRef<GstElement>> &elements) {
    Line line;
    line.bin = ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr))));
    for (const auto &element : elements) {
        gst_bin_add(GST_BIN(line.bin.get()), element.get());
        if (!line.elements.empty() &&
            !gst_element_link_pads(line.elements.back(), "src", element.get(), "sink"))
            throw Error(GST_CORE_ERROR_PAD,
                        text("%s can't be linked to %s", GST_OBJECT_NAME(line.elements.back()),
                             GST_OBJECT_NAME(element.get())));
        line.elements.push_back(element.get());
    }
    add_ghost(line.bin.get(), "sink", line.elements.front());
    add_ghost(line.bin.get(), "src", line.elements.back());
    return line;
}

void Distribute::property_changed(PropertyBase *property) {
    if (property == &devices)
        is_outdated_ = true;
    if (property != &description)
        return;
    std::optional<Error> problem; // then the element does not start
    Line line;
    try {
        if (!description.value().empty())
            line = parse(description);
    } catch (const Error &e) {
        problem = e;
    }
    take_model(std::move(line));
    problem_ = problem;
}

void Distribute::take_model(Line line) {
    is_outdated_ = true;
    problem_ = {};
    distribution_.set_caps({}, {});
    Line before;
    {
        const std::lock_guard<std::mutex> lock(model_lock_);
        before = std::exchange(model_, line);
    }
    for (auto *element : before.elements)
        g_signal_handlers_disconnect_by_data(element, this);
    if (before.bin)
        gst_bin_remove(GST_BIN(gst()), before.bin.get());
    if (!line.bin)
        return;
    // Who looks for an element by name in the pipeline finds the original, and nothing starts it.
    gst_object_set_name(GST_OBJECT(line.bin.get()), "originals");
    gst_element_set_locked_state(line.bin.get(), TRUE);
    gst_bin_add(GST_BIN(gst()), line.bin.get());
    for (auto *element : line.elements)
        g_signal_connect(element, "notify", G_CALLBACK(changed), this);
    const auto caps_at = [&](const char *name) {
        const ObjectRef<GstPad> pad(gst_element_get_static_pad(line.bin.get(), name));
        return CapsRef(gst_pad_query_caps(pad.get(), nullptr));
    };
    distribution_.set_caps(caps_at("sink"), caps_at("src"));
}

std::vector<ObjectRef<GstElement>> Distribute::originals() const {
    const std::lock_guard<std::mutex> lock(model_lock_);
    std::vector<ObjectRef<GstElement>> elements;
    for (auto *element : model_.elements)
        elements.push_back(ObjectRef<GstElement>::referenced(element));
    return elements;
}

void Distribute::set_originals(const std::vector<ObjectRef<GstElement>> &elements) {
    for (const auto &element : elements)
        need_copyable(element.get());
    const auto before = originals();
    const auto bin = model_.bin;
    take_model({});
    for (const auto &element : before)
        gst_bin_remove(GST_BIN(bin.get()), element.get());
    if (!elements.empty())
        take_model(line_of(elements));
}

// Copies
// ---------------------------------------------------------------------------------------------------------

// What an application may set on the elements of the description.
static bool is_for_all(const GParamSpec *spec) {
    const std::string name = spec->name;
    return (spec->flags & G_PARAM_WRITABLE) && (spec->flags & G_PARAM_READABLE) &&
           !(spec->flags & G_PARAM_CONSTRUCT_ONLY) && name != "name" && name != "parent" && name != "device";
}

static void copy_properties(GObject *from, GObject *to) {
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

// A result that a copy found is told by its original.
static void found(GObject *copy, GParamSpec *spec, gpointer) {
    auto *element = element_of(original_of(GST_ELEMENT(copy)));
    Value value(G_TYPE_DOUBLE);
    g_object_get_property(copy, spec->name, value.get());
    for (auto *property : element->properties())
        if (auto *result = dynamic_cast<Result *>(property);
            result && std::string(result->name()) == spec->name)
            result->report(g_value_get_double(value.get()));
}

Line Distribute::copy_for(std::size_t device) const {
    std::vector<ObjectRef<GstElement>> elements;
    for (auto *original : model_.elements) {
        // A name of its own, because people look for the original by its name.
        auto *made =
            gst_element_factory_create(gst_element_get_factory(original),
                                       text("%s-device-%zu", GST_OBJECT_NAME(original), device).c_str());
        const ObjectRef<GstElement> element(GST_ELEMENT(gst_object_ref_sink(made)));
        copy_properties(G_OBJECT(original), G_OBJECT(element.get()));
        set_original(element.get(), original);
        auto *ours = element_of(element.get());
        if (ours && ours->needs_device())
            g_object_set(element.get(), "device", std::to_string(device).c_str(), nullptr);
        if (ours)
            for (const auto *property : ours->properties())
                if (dynamic_cast<const Result *>(property))
                    g_signal_connect(element.get(), ("notify::" + std::string(property->name())).c_str(),
                                     G_CALLBACK(found), nullptr);
        elements.push_back(element);
    }
    return line_of(elements);
}

void Distribute::make_copies() {
    if (problem_)
        throw *problem_;
    if (model_.elements.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "description is not set: it has the elements that run on each device, as in "
                    "description=\"tomorampfilter ! tomobackproject\"");
    const auto all = all_devices();
    const auto chosen = choose_devices(all, devices);
    is_outdated_ = false;
    try {
        for (const auto index : chosen) {
            const auto line = copy_for(index);
            gst_object_set_name(GST_OBJECT(line.bin.get()), text("device-%zu", index).c_str());
            distribution_.add_copy(line.bin, line.elements, static_cast<unsigned>(index), all[index].name);
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
    std::vector<SideInput *> linked;
    for (const auto &input : side_inputs_)
        if (input->is_linked())
            linked.push_back(input.get());
    distribution_.set_side_inputs(linked);
    distribution_.reset(on_failure == OnFailure::go_on, whole_groups, max_memory);
    follow_controllers();
}

void Distribute::follow_controllers() {
    const auto wanted = stream::controlled_by(model_.elements);
    if (wanted == controlled_)
        return;
    distribution_.change([before = std::exchange(controlled_, wanted), wanted](const auto &copy) {
        stream::follow(copy, before, wanted);
    });
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

// Whether GStreamer named it, by a number that other elements of the process have a part in.
static bool has_given_name(GstElement *element) {
    const std::string name = GST_OBJECT_NAME(element), kind = factory_of(element);
    return name.compare(0, kind.size(), kind) != 0 || name.size() == kind.size() ||
           name.find_first_not_of("0123456789", kind.size()) != std::string::npos;
}

// By its name; by the name of its factory or task and the number among those that have it, counted from 0,
// which is left out for the first one.
ObjectRef<GObject> Distribute::child(const std::string &name) {
    const std::lock_guard<std::mutex> lock(model_lock_);
    const auto found = [](GstElement *element) {
        return ObjectRef<GObject>(G_OBJECT(gst_object_ref(element)));
    };
    for (auto *element : model_.elements)
        if (name == GST_OBJECT_NAME(element) && has_given_name(element))
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
    for (auto *element : model_.elements)
        if (name == GST_OBJECT_NAME(element))
            return found(element);
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

// Side inputs
// -------------------------------------------------------------------------------------------------------

GstPad *Distribute::request_pad(GstPadTemplate *templ, const char *name) {
    if (!name || !*name) {
        GST_WARNING_OBJECT(gst(), "an input is asked for by its name, as that of an element in description");
        return nullptr;
    }
    if (!g_strcmp0(name, "sink") || !g_strcmp0(name, "src")) {
        GST_WARNING_OBJECT(gst(), "%s is always there, so it can't be asked for", name);
        return nullptr;
    }
    if (GST_STATE(gst()) > GST_STATE_READY) {
        GST_WARNING_OBJECT(gst(), "the stream has begun without input %s: ask for it before the start", name);
        return nullptr;
    }
    auto input = std::find_if(side_inputs_.begin(), side_inputs_.end(),
                              [&](const auto &each) { return std::string(each->name()) == name; });
    if (input == side_inputs_.end())
        input = side_inputs_.insert(input, std::make_unique<SideInput>(this, std::string(name)));
    return (*input)->add_pad(templ);
}

void Distribute::release_pad(GstPad *pad) {
    gst_pad_set_active(pad, FALSE);
    for (const auto &input : side_inputs_)
        input->release_pad(pad);
    gst_element_remove_pad(gst(), pad);
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

// From the original in place of the copy.
static GstMessage *from_original(GstMessage *message) {
    auto each = ObjectRef<GstObject>::referenced(GST_MESSAGE_SRC(message));
    while (each) {
        auto *original = GST_IS_ELEMENT(each.get()) ? original_of(GST_ELEMENT(each.get())) : nullptr;
        if (original) {
            message = gst_message_make_writable(message);
            gst_object_replace(&GST_MESSAGE_SRC(message), GST_OBJECT(original));
            break;
        }
        each = ObjectRef<GstObject>(gst_object_get_parent(each.get()));
    }
    return message;
}

// The error and, where there are others, the device that it came from.
static GstMessage *with_device(GstMessage *message, const Told &told, const std::string &device) {
    const GstStructure *details = nullptr;
    gst_message_parse_error_details(message, &details);
    const std::unique_ptr<GError, decltype(&g_error_free)> error(
        g_error_new(told.error->domain, told.error->code, "%s (on %s)", told.error->message, device.c_str()),
        g_error_free);
    auto *longer =
        gst_message_new_error_with_details(GST_MESSAGE_SRC(message), error.get(), told.details.get(),
                                           details ? gst_structure_copy(details) : nullptr);
    gst_message_set_seqnum(longer, gst_message_get_seqnum(message));
    gst_message_unref(message);
    return longer;
}

void Distribute::look_at(GstMessage *message) {
    const int copy = distribution_.copy_of(GST_MESSAGE_SRC(message));
    if (copy < 0)
        return hand_to_bin(message);
    const auto hand_on = [&](bool goes) {
        goes ? hand_to_bin(from_original(message)) : gst_message_unref(message);
    };
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: {
        const auto told = told_by(message, gst_message_parse_error);
        std::string words;
        switch (distribution_.judge(copy, *told.error, words)) {
        case stream::Distribution::Verdict::post:
            if (const auto device = distribution_.device_of(copy); !device.empty())
                message = with_device(message, told, device);
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
        return hand_to_bin(message);
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
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        distribute->forget_side_inputs();
    if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
        (failed && transition == GST_STATE_CHANGE_NULL_TO_READY))
        distribute->guard([&] { distribute->remove_copies(); });
    return result;
}

static void gst_tomo_distribute_bin_handle_message(GstBin *bin, GstMessage *message) {
    auto *distribute = distribute_of(bin);
    distribute->guard([&] { distribute->look_at(message); });
}

static GstPad *gst_tomo_distribute_bin_request_new_pad(GstElement *gst, GstPadTemplate *templ,
                                                       const gchar *name, const GstCaps *) {
    auto *distribute = distribute_of(gst);
    return distribute->guard<GstPad *>(nullptr, [&] { return distribute->request_pad(templ, name); });
}

static void gst_tomo_distribute_bin_release_pad(GstElement *gst, GstPad *pad) {
    auto *distribute = distribute_of(gst);
    distribute->guard([&] { distribute->release_pad(pad); });
}

static void gst_tomo_distribute_bin_init(GstTomoDistributeBin *) {}

static void gst_tomo_distribute_bin_class_init(GstTomoDistributeBinClass *klass) {
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_distribute_bin_change_state;
    GST_ELEMENT_CLASS(klass)->request_new_pad = gst_tomo_distribute_bin_request_new_pad;
    GST_ELEMENT_CLASS(klass)->release_pad = gst_tomo_distribute_bin_release_pad;
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
    gst_element_class_add_pad_template(
        klass, gst_pad_template_new("%s", GST_PAD_SINK, GST_PAD_REQUEST, arrays.get()));
}

TOMO_ELEMENT(Distribute)
