// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Steps from a text to a value of a property, which other ways to it need as well. `given` is how messages
// show what came.
#pragma once

#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/graph/names.hpp>

#include <string>

namespace tomo {

// Throws that the property takes something else.
[[noreturn]] void refuse(GParamSpec *spec, const std::string &given);

// The value, unless GObject would silently move it into the range, or refuse it with a line in the log.
Value in_range(GParamSpec *spec, Value value, const std::string &given);

bool is_integer(GType type);
bool is_number(GType type);
Value number_from_text(GParamSpec *spec, const std::string &written, const std::string &given);

// By name, or for elements of GStreamer by number.
Value choice_from_text(GParamSpec *spec, const std::string &written);
// Null where there is none.
const GEnumValue *enum_named(GParamSpec *spec, const std::string &name);

// The task of the element that has the property; empty for elements that are not ours.
std::string task_of(GParamSpec *spec);

} // namespace tomo
