// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Dataflows in which several devices have copies of some elements.
#pragma once

#include <gst/reconstruction/settings.hpp>

#include <string>
#include <vector>

namespace tomo::reconstruction {

// Whether the settings, in which `devices` are indices, have several.
bool is_shared(const Settings &settings);
// Their indices.
std::vector<std::string> sharing_indices(const Settings &settings);
// The same elements, " ! ELEMENT ! ELEMENT", of which each device has a copy where several share the arrays.
// Each makes one array of one.
std::string shared_line(const Settings &settings, const std::string &line);

// The element of such a dataflow with the inputs of `element` besides the main one: that which runs copies of
// it, where several share the arrays.
std::string with_inputs_of(const Settings &settings, const std::string &element);

} // namespace tomo::reconstruction
