// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Steps from a text to a value of a property, shared with JSON. `given` is the value as messages show it.
#pragma once

#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/graph/names.hpp>

#include <string>

namespace tomo {

// Throws an Error that says which values the property takes.
[[noreturn]] void refuse(GParamSpec *spec, const std::string &given);

// Returns the value. Throws if GObject would silently move it into the range, or refuse it with a line in the
// log.
Value in_range(GParamSpec *spec, Value value, const std::string &given);

bool is_integer(GType type);
bool is_number(GType type);
Value number_from_text(GParamSpec *spec, const std::string &written, const std::string &given);

// By name; for elements of GStreamer also by number.
Value choice_from_text(GParamSpec *spec, const std::string &written);
// Null if there is no such name.
const GEnumValue *enum_named(GParamSpec *spec, const std::string &name);

// The task of the element that has the property; empty for elements that are not ours.
std::string task_of(GParamSpec *spec);

} // namespace tomo
