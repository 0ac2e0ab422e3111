// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parts of launch lines, as steps of the chain put them together.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <string>

namespace tomo::reconstruction {

class Settings;

// KEY=VALUE after a blank, quoted for gst_parse_launch() and for a shell.
GST_TOMO_API std::string launch_property(const std::string &key, const std::string &value);

// " device=..." where settings name one.
std::string device_property(const Settings &settings);

// A number in digits that give the same number back.
std::string number(double value);

// KEY=VALUE for numbers.
std::string property(const char *key, unsigned value);
std::string property(const char *key, double value);

// A number as OpenCL C writes it, in float32.
std::string literal(double value);

// The name of the first element of a line; empty if it has none.
std::string first_name_in(const std::string &line);

// The line with names of elements that begin with `prefix`, so that it can stand beside another one.
GST_TOMO_API std::string with_prefix(const std::string &prefix, const std::string &line);

// " ! " and an element that computes a formula of each value.
std::string calculation(const char *name, const std::string &expression, unsigned dimensions = 1);

} // namespace tomo::reconstruction
