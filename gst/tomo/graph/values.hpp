// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Checked values of properties from text and JSON, and JSON from values.
#pragma once

#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/support/json.hpp>
#include <gst/tomo/bases/property-values.hpp>

#include <optional>

namespace tomo {

// As written on a command line; lists of numbers as 1,2 or <1,2> or a single one. Throws an Error that names
// the fault.
Value value_from_text(GParamSpec *spec, const std::string &written);
// A number for one of UFO's enumerations is UFO's number, as in its JSON files.
Value value_from_json(GParamSpec *spec, const Json &json);
// Empty for values that JSON can't express.
std::optional<Json> value_to_json(GParamSpec *spec, const GValue *value);

// Sets one property after all checks.
void set_from_text(GstElement *element, const std::string &property, const std::string &written);
void set_from_json(GstElement *element, const std::string &property, const Json &json);

// The properties that differ from those of a new element of the kind, as a JSON object.
Json properties_to_json(GstElement *element);

// The description of a task as an object; see gst_tomo_describe_task().
Json describe_task(const std::string &plugin);

} // namespace tomo
