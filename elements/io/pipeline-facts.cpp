// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline-facts.hpp"

#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/bases/stream-walk.hpp>
#include <gst/tomo/geometry/scan.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/debug.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <tuple>

#define GST_CAT_DEFAULT tomo::element_debug()

namespace tomo::io {

namespace {

using PadRef = ObjectRef<GstPad>;

bool is_plain_bin(GstElement *element) {
    return G_OBJECT_TYPE(element) == GST_TYPE_BIN || G_OBJECT_TYPE(element) == GST_TYPE_PIPELINE;
}

// Sources first. What is in plain bins as well, and the originals in place of the element that runs their
// copies; any other bin with a purpose is an element like any other.
std::vector<ObjectRef<GstElement>> elements_of(GstElement *top) {
    std::vector<ObjectRef<GstElement>> elements;
    if (const auto *runner = with_copies(top))
        return runner->originals();
    if (!is_plain_bin(top))
        return {ObjectRef<GstElement>::referenced(top)};
    const std::unique_ptr<GstIterator, decltype(&gst_iterator_free)> sorted(
        gst_bin_iterate_sorted(GST_BIN(top)), gst_iterator_free);
    GValue item = G_VALUE_INIT;
    for (;;) {
        const auto step = gst_iterator_next(sorted.get(), &item);
        if (step == GST_ITERATOR_RESYNC) {
            elements.clear();
            gst_iterator_resync(sorted.get());
            continue;
        }
        if (step != GST_ITERATOR_OK)
            break;
        auto inner = elements_of(GST_ELEMENT(g_value_get_object(&item)));
        elements.insert(elements.end(), inner.rbegin(), inner.rend());
        g_value_reset(&item);
    }
    if (G_IS_VALUE(&item))
        g_value_unset(&item);
    std::reverse(elements.begin(), elements.end());
    return elements;
}

// The element from which a sink pad gets its stream, inside or outside of plain bins.
ObjectRef<GstElement> source_of(GstPad *sink) {
    PadRef pad(gst_pad_get_peer(sink));
    while (pad) {
        const ObjectRef<GstObject> parent(gst_object_get_parent(GST_OBJECT(pad.get())));
        if (GST_IS_GHOST_PAD(pad.get()) && parent && is_plain_bin(GST_ELEMENT(parent.get())))
            pad = PadRef(gst_ghost_pad_get_target(GST_GHOST_PAD(pad.get())));
        else if (parent && GST_IS_GHOST_PAD(parent.get())) // the inside of a pad of the bin around
            pad = PadRef(gst_pad_get_peer(GST_PAD(parent.get())));
        else
            return ObjectRef<GstElement>(gst_pad_get_parent_element(pad.get()));
    }
    return {};
}

void collect_behind(GstElement *element, std::set<GstElement *> &found) {
    if (!found.insert(element).second)
        return;
    std::vector<PadRef> pads;
    GST_OBJECT_LOCK(element);
    for (GList *i = element->sinkpads; i; i = i->next)
        pads.push_back(PadRef::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(element);
    for (const auto &pad : pads)
        if (const auto source = source_of(pad.get()))
            collect_behind(source.get(), found);
}

// The element itself and those from which its stream comes, sources first.
std::vector<ObjectRef<GstElement>> elements_behind(GstElement *element) {
    std::set<GstElement *> found;
    collect_behind(element, found);
    auto elements = elements_of(outermost(element).get());
    elements.erase(std::remove_if(elements.begin(), elements.end(),
                                  [&](const auto &each) {
                                      const auto runner = runner_of_copies(each.get());
                                      return found.count(runner ? runner.get() : each.get()) == 0;
                                  }),
                   elements.end());
    return elements;
}

// An element that works: the element itself, or a copy of it.
struct Worker {
    Element *element;
    std::string name; // of the original, and the device of each copy but the first
};

std::vector<Worker> workers_of(GstElement *element) {
    const auto runner = runner_of_copies(element);
    if (!runner)
        return {{element_of(element), GST_OBJECT_NAME(element)}};
    std::vector<Worker> workers;
    for (const auto &copy : with_copies(runner.get())->copies())
        for (const auto &each : copy.elements)
            if (original_of(each.get()) == element)
                workers.push_back({element_of(each.get()),
                                   workers.empty() ? GST_OBJECT_NAME(element) : GST_OBJECT_NAME(each.get())});
    return workers;
}

// Devices that elements work on, each once.
class UsedDevices {
  public:
    void add(const Device &device) {
        if (std::none_of(used_.begin(), used_.end(),
                         [&](const auto &one) { return one.index == device.index(); }))
            used_.push_back({device.index(), device.name(), device.driver()});
    }
    // Several have their indices with them.
    std::string names() const {
        std::string all;
        for (const auto &one : used_)
            all += (all.empty() ? "" : ", ") +
                   (used_.size() > 1 ? text("%u: %s", one.index, one.name.c_str()) : one.name);
        return all;
    }
    std::string drivers() const {
        std::vector<std::string> different;
        std::string all;
        for (const auto &one : used_)
            if (std::find(different.begin(), different.end(), one.driver) == different.end()) {
                all += (all.empty() ? "" : ", ") + one.driver;
                different.push_back(one.driver);
            }
        return all;
    }

  private:
    struct Used {
        unsigned index;
        std::string name, driver;
    };
    std::vector<Used> used_;
};

FactValue value_of(const GValue *value) {
    GValue number = G_VALUE_INIT;
    if (G_VALUE_HOLDS_BOOLEAN(value))
        return static_cast<bool>(g_value_get_boolean(value));
    if (G_VALUE_HOLDS_STRING(value))
        return std::string(g_value_get_string(value) ? g_value_get_string(value) : "");
    if (G_VALUE_HOLDS_FLOAT(value) || G_VALUE_HOLDS_DOUBLE(value)) {
        g_value_init(&number, G_TYPE_DOUBLE);
        g_value_transform(value, &number);
        return g_value_get_double(&number);
    }
    if (!G_VALUE_HOLDS_ENUM(value) && !G_VALUE_HOLDS_UINT64(value) &&
        g_value_type_transformable(G_VALUE_TYPE(value), G_TYPE_INT64)) {
        g_value_init(&number, G_TYPE_INT64);
        g_value_transform(value, &number);
        return static_cast<std::int64_t>(g_value_get_int64(&number));
    }
    const CString written(gst_value_serialize(value));
    return std::string(written ? written.get() : "");
}

// Whether a value is one, and does not leave the choice to the element. An empty text is not set, either.
bool means_itself(GParamSpec *spec, const FactValue &value) {
    const auto open = automatic_values(spec);
    if (const auto *text = std::get_if<std::string>(&value))
        return !text->empty() &&
               !(G_IS_PARAM_SPEC_UINT64(spec) && is_in(open, g_ascii_strtod(text->c_str(), nullptr)));
    if (const auto *integer = std::get_if<std::int64_t>(&value))
        return !is_in(open, static_cast<double>(*integer));
    if (const auto *real = std::get_if<double>(&value))
        return !is_in(open, *real);
    return true;
}

// Those that move or watch arrays say nothing about a result, nor do elements of others.
bool shapes_result(const std::string &task) {
    static const std::set<std::string> moving = {"upload",  "download",     "sleep",
                                                 "monitor", "stat-monitor", "write"};
    return !task.empty() && moving.count(task) == 0;
}

// How GStreamer's bases of our elements are to work says nothing about a result either, but for the number of
// arrays that a source gives.
bool is_of_gstreamer(const GParamSpec *spec) {
    return !g_str_has_prefix(g_type_name(spec->owner_type), "GstTomo") &&
           std::strcmp(spec->name, "num-buffers") != 0;
}

StepFacts step_of(GstElement *element) {
    StepFacts step;
    step.name = GST_OBJECT_NAME(element);
    auto *factory = gst_element_get_factory(element);
    step.plugin = factory ? GST_OBJECT_NAME(factory) : G_OBJECT_TYPE_NAME(element);
    const auto *task = gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element), "tomo-task");
    step.task = task ? task : "";
    guint count = 0;
    const std::unique_ptr<GParamSpec *, decltype(&g_free)> specs(
        g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count), g_free);
    for (guint i = 0; i < count; i++) {
        auto *spec = specs.get()[i];
        const std::string name = spec->name;
        // Objects and pointers are nothing that could be set again.
        if (!(spec->flags & G_PARAM_READABLE) || !(spec->flags & G_PARAM_WRITABLE) || name == "name" ||
            name == "parent" || g_type_is_a(spec->value_type, G_TYPE_OBJECT) ||
            g_type_is_a(spec->value_type, G_TYPE_POINTER) || (!step.task.empty() && is_of_gstreamer(spec)))
            continue;
        GValue value = G_VALUE_INIT;
        g_value_init(&value, spec->value_type);
        g_object_get_property(G_OBJECT(element), spec->name, &value);
        if (auto fact = value_of(&value); means_itself(spec, fact))
            step.parameters.emplace_back(name, std::move(fact));
        g_value_unset(&value);
    }
    return step;
}

// What a source reads: property and path.
std::vector<std::pair<std::string, std::string>> inputs_of(GstElement *element, const StepFacts &step) {
    static constexpr const char *names[] = {"path", "location", "darks", "flats", "flats-after", "angles"};
    std::vector<std::pair<std::string, std::string>> inputs;
    if (element->numsinkpads > 0)
        return inputs;
    for (const auto *name : names)
        for (const auto &[key, value] : step.parameters)
            if (const auto *path = std::get_if<std::string>(&value); key == name && path && !path->empty())
                inputs.emplace_back(name, *path);
    return inputs;
}

InputFacts digest_or_reason(const std::string &path, DigestOf what) {
    try {
        return digest_input(path, what);
    } catch (const Error &error) {
        auto facts = digest_input(path, DigestOf::Nothing);
        facts.method = std::string("none: ") + error.what();
        return facts;
    }
}

gboolean find_scan(GstPad *, GstEvent **event, gpointer found) {
    if (gst_event_is_tomo_scan(*event))
        *static_cast<EventRef *>(found) = EventRef::referenced(*event);
    return TRUE;
}

// Of two values by the same name that differ, the later one is called after its element, too.
void add_effective_fact(EffectiveFact fact, const std::string &element, std::vector<EffectiveFact> &facts) {
    for (const auto &known : facts)
        if (known.name == fact.name) {
            if (known.value == fact.value || element.empty())
                return;
            fact.name = element + "_" + fact.name;
            break;
        }
    facts.push_back(std::move(fact));
}

void add_effective(const GstStructure *values, const std::string &element,
                   std::vector<EffectiveFact> &facts) {
    const auto said = [&](const std::string &field) {
        const auto *text = gst_structure_get_string(values, field.c_str());
        return std::string(text ? text : "");
    };
    for (int i = 0; i < gst_structure_n_fields(values); i++) {
        const std::string name = gst_structure_nth_field_name(values, static_cast<guint>(i));
        if (name == "text" || g_str_has_suffix(name.c_str(), "-units") ||
            g_str_has_suffix(name.c_str(), "-source"))
            continue;
        EffectiveFact fact{name, value_of(gst_structure_get_value(values, name.c_str())),
                           said(name + "-units"), said(name + "-source")};
        std::replace(fact.name.begin(), fact.name.end(), '-', '_');
        add_effective_fact(std::move(fact), element, facts);
    }
}

} // namespace

ResultFacts facts_of_pipeline(GstElement *element, DigestOf inputs) {
    ResultFacts facts;
    const auto top = outermost(element);
    GError *error = nullptr;
    const CString json(gst_tomo_describe_pipeline(top.get(), &error));
    if (json)
        facts.pipeline = json.get();
    else
        GST_WARNING_OBJECT(element, "the result will not say how to make it again: %s", error->message);
    g_clear_error(&error);
    facts.folder = CString(g_get_current_dir()).get();
    facts.version = VERSION;
    facts.gstreamer = CString(gst_version_string()).get();
    UsedDevices devices;
    for (const auto &each : elements_behind(element)) {
        const auto step = step_of(each.get());
        if (shapes_result(step.task))
            facts.steps.push_back(step);
        for (const auto &worker : workers_of(each.get()))
            if (worker.element && worker.element->needs_device())
                if (const auto device = worker.element->current_device())
                    devices.add(*device);
        for (const auto &[property, path] : inputs_of(each.get(), step)) {
            auto input = digest_or_reason(path, inputs);
            input.name = step.name + (property == "path" || property == "location" ? "" : "_" + property);
            facts.inputs.push_back(std::move(input));
        }
    }
    facts.device = devices.names();
    facts.driver = devices.drivers();
    return facts;
}

namespace {

// Along the columns or rows of an array that knows its place, in pixels of the scan's images or in metres.
AxisFacts axis_of(const char *name, double region, double binning, const Scan &scan) {
    double pixel = scan.pixel_size;
    AxisFacts axis{name, "pixel", 0, 1, {}};
    if (std::isfinite(region) && std::isfinite(binning)) {
        axis.origin = region;
        axis.step = binning;
        if (std::isfinite(scan.binning_x))
            pixel /= std::abs(scan.binning_x);
    } // else the array's own pixels count
    if (pixel > 0) {
        axis.units = "m";
        axis.origin *= pixel;
        axis.step *= pixel;
    }
    return axis;
}

// Images or rows that are views.
AxisFacts views_of(const Scan &scan) {
    if (scan.angles.empty())
        return {"view", "", -0.5, 1, {}}; // its number
    return {"rotation_angle", "rad", -0.5, 1, scan.angles};
}

std::vector<AxisFacts> axes_of(GstTomoDomain domain, const Scan &scan) {
    const auto x = axis_of("x", scan.region_x, scan.binning_x, scan);
    const auto rows = [&](const char *name) { return axis_of(name, scan.region_y, scan.binning_y, scan); };
    switch (domain) {
    case GST_TOMO_DOMAIN_PROJECTION:
        return {views_of(scan), rows("y"), x};
    case GST_TOMO_DOMAIN_SINOGRAM:
        return {rows("z"), views_of(scan), x};
    case GST_TOMO_DOMAIN_SLICE:
    case GST_TOMO_DOMAIN_VOLUME: {
        const bool known = std::isfinite(scan.region_beam) && std::isfinite(scan.binning_beam);
        return {rows("z"),
                known ? axis_of("y", scan.region_beam, scan.binning_beam, scan)
                      : axis_of("y", 0.0, std::abs(scan.binning_x), scan),
                x};
    }
    default: {
        const double unknown = std::nan("");
        return {axis_of("z", unknown, unknown, scan), axis_of("y", unknown, unknown, scan),
                axis_of("x", unknown, unknown, scan)};
    }
    }
}

} // namespace

void add_final_facts(GstElement *element, ResultFacts &facts) {
    facts.effective.clear();
    for (const auto &each : elements_behind(element))
        for (const auto &worker : workers_of(each.get()))
            if (const auto values = worker.element ? worker.element->effective_values() : nullptr)
                add_effective(values.get(), worker.name, facts.effective);
    const PadRef pad(gst_element_get_static_pad(element, "sink"));
    EventRef event;
    gst_pad_sticky_events_foreach(pad.get(), find_scan, &event);
    if (!event)
        return;
    const Scan scan(event.get());
    const CapsRef caps(gst_pad_get_current_caps(pad.get()));
    const auto domain = caps ? ArrayInfo::from_caps(caps.get()).domain : GST_TOMO_DOMAIN_UNKNOWN;
    facts.axes = axes_of(domain, scan);
    // Slices are about the axis that their backprojection tells.
    const bool is_before_slices = domain == GST_TOMO_DOMAIN_PROJECTION || domain == GST_TOMO_DOMAIN_SINOGRAM;
    if (is_before_slices && std::isfinite(scan.axis_position))
        add_effective_fact({"axis", scan.axis_position, "pixel", scan.axis_is_found ? "found" : "scan"}, "",
                           facts.effective);
    for (const auto &[name, value, units] : {std::tuple{"pixel_size", scan.pixel_size, "m"},
                                             {"energy", scan.energy, "keV"},
                                             {"distance", scan.distance, "m"},
                                             {"source_distance", scan.source_distance, "m"}})
        if (std::isfinite(value))
            add_effective_fact({name, value, units, "scan"}, "", facts.effective);
}

} // namespace tomo::io
