// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "attributes.hpp"
#include "folder.hpp"

#include <cmath>

namespace tomo::io {

namespace {

Json numbers(const std::vector<double> &values) {
    Json list = Json::list();
    for (const double value : values)
        list.add(Json::number(value));
    return list;
}

bool is_space(const AxisFacts &axis) { return axis.name == "x" || axis.name == "y" || axis.name == "z"; }

// Names of units as NGFF wants them; it has none for pixels.
std::string unit_of(const AxisFacts &axis) {
    return axis.units == "m" ? "meter" : axis.units == "rad" ? "radian" : "";
}

Json axes_of(const std::vector<AxisFacts> &axes) {
    Json list = Json::list();
    for (const auto &axis : axes) {
        Json json = Json::object();
        json.set("name", Json::text(axis.name));
        if (is_space(axis))
            json.set("type", Json::text("space"));
        if (const auto unit = unit_of(axis); !unit.empty())
            json.set("unit", Json::text(unit));
        list.add(std::move(json));
    }
    return list;
}

// From the index of a sample to the place of its centre.
Json transformations_of(const std::vector<AxisFacts> &axes, std::size_t level) {
    std::vector<double> scales, centres;
    for (const auto &axis : axes) {
        const double step = std::ldexp(axis.values.empty() ? axis.step : 1.0, static_cast<int>(level));
        scales.push_back(step);
        centres.push_back((axis.values.empty() ? axis.origin : -0.5) + step / 2.0);
    }
    Json scale = Json::object(), translation = Json::object(), list = Json::list();
    scale.set("type", Json::text("scale"));
    scale.set("scale", numbers(scales));
    translation.set("type", Json::text("translation"));
    translation.set("translation", numbers(centres));
    list.add(std::move(scale));
    list.add(std::move(translation));
    return list;
}

Json multiscales_of(const OmeImage &image) {
    Json levels = Json::list();
    for (std::size_t level = 0; level < image.levels; level++) {
        Json json = Json::object();
        json.set("path", Json::text(std::to_string(level)));
        json.set("coordinateTransformations", transformations_of(image.facts.axes, level));
        levels.add(std::move(json));
    }
    Json method = Json::object();
    method.set(
        "description",
        Json::text(
            "means of 2 x 2 x 2 samples of the level before, at edges of those that are there; NaN is not "
            "counted"));
    method.set("method", Json::text("tomowrite"));
    method.set("version", Json::text(image.facts.version));
    Json json = Json::object();
    json.set("version", Json::text("0.4"));
    json.set("name", Json::text(image.name));
    json.set("axes", axes_of(image.facts.axes));
    json.set("datasets", std::move(levels));
    json.set("type", Json::text("mean"));
    json.set("metadata", std::move(method));
    Json list = Json::list();
    list.add(std::move(json));
    return list;
}

Json omero_of(const OmeImage &image) {
    Json window = Json::object();
    window.set("min", Json::number(image.all.minimum));
    window.set("max", Json::number(image.all.maximum));
    window.set("start", Json::number(image.window.minimum));
    window.set("end", Json::number(image.window.maximum));
    Json channel = Json::object();
    channel.set("active", Json::boolean(true));
    channel.set("color", Json::text("FFFFFF"));
    channel.set("label", Json::text(image.name));
    channel.set("window", std::move(window));
    Json channels = Json::list(), views = Json::object(), json = Json::object();
    channels.add(std::move(channel));
    views.set("model", Json::text("greyscale"));
    json.set("version", Json::text("0.4"));
    json.set("name", Json::text(image.name));
    json.set("channels", std::move(channels));
    json.set("rdefs", std::move(views));
    return json;
}

Json value_of(const FactValue &value) {
    struct Visitor {
        Json operator()(bool flag) const { return Json::boolean(flag); }
        Json operator()(std::int64_t number) const { return Json::integer(gint64{number}); }
        Json operator()(double number) const { return Json::number(number); }
        Json operator()(const std::string &words) const { return Json::text(words); }
    };
    return std::visit(Visitor(), value);
}

void set_text(Json &json, const char *key, const std::string &value) {
    if (!value.empty())
        json.set(key, Json::text(value));
}

Json inputs_of(const ResultFacts &facts) {
    Json list = Json::list();
    for (const auto &input : facts.inputs) {
        Json json = Json::object();
        set_text(json, "name", input.name);
        set_text(json, "path", input.path);
        set_text(json, "digest", input.digest);
        set_text(json, "method", input.method);
        json.set("files", Json::integer(guint64{input.files}));
        json.set("bytes", Json::integer(guint64{input.bytes}));
        list.add(std::move(json));
    }
    return list;
}

Json elements_of(const ResultFacts &facts) {
    Json list = Json::list();
    for (const auto &step : facts.steps) {
        Json parameters = Json::object(), json = Json::object();
        for (const auto &[name, value] : step.parameters)
            if (!parameters.find(name))
                parameters.set(name, value_of(value));
        set_text(json, "name", step.name);
        set_text(json, "plugin", step.plugin);
        set_text(json, "task", step.task);
        json.set("parameters", std::move(parameters));
        list.add(std::move(json));
    }
    return list;
}

Json effective_of(const ResultFacts &facts) {
    Json list = Json::list();
    for (const auto &fact : facts.effective) {
        Json json = Json::object();
        json.set("name", Json::text(fact.name));
        json.set("value", value_of(fact.value));
        set_text(json, "units", fact.units);
        set_text(json, "source", fact.source);
        list.add(std::move(json));
    }
    return list;
}

Json making_of(const OmeImage &image) {
    const auto &facts = image.facts;
    Json json = Json::object();
    set_text(json, "version", facts.version);
    set_text(json, "gstreamer", facts.gstreamer);
    set_text(json, "device", facts.device);
    set_text(json, "driver", facts.driver);
    if (image.grey) {
        json.set("grey_minimum", Json::number(image.grey->minimum));
        json.set("grey_maximum", Json::number(image.grey->maximum));
    }
    if (image.length.is_known())
        json.set("complete", Json::boolean(image.length.is_complete()));
    if (image.length.lacks_some())
        json.set("images_expected", Json::integer(guint64{*image.length.announced}));
    for (const auto &axis : facts.axes)
        if (!axis.values.empty())
            json.set(axis.name, numbers(axis.values));
    json.set("parameters", effective_of(facts));
    json.set("inputs", inputs_of(facts));
    json.set("elements", elements_of(facts));
    set_text(json, "folder", facts.folder);
    if (!facts.pipeline.empty())
        json.set("pipeline", Json::parse(facts.pipeline, "pipeline"));
    return json;
}

} // namespace

std::string ome_attributes(const OmeImage &image) {
    Json json = Json::object();
    json.set("multiscales", multiscales_of(image));
    if (!image.window.is_empty())
        json.set("omero", omero_of(image));
    json.set(zarr_signature, making_of(image));
    return json.written(true);
}

} // namespace tomo::io
