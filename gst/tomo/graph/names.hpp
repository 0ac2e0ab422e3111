// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// From the names that users write to elements and properties.
#pragma once

#include <gst/tomo/support/references.hpp>
#include <gst/tomo/gsttomograph.h>

#include <string>
#include <vector>

namespace tomo {

// Throwing helper: what is wrong with a graph.
[[noreturn]] void graph_error(GstTomoGraphError code, const std::string &message);

// The candidate that `word` was probably meant to be; empty if none is near.
std::string nearest(const std::string &word, const std::vector<std::string> &candidates);
// "; did you mean 'x'?", or nothing.
GST_TOMO_API std::string suggestion(const std::string &word, const std::vector<std::string> &candidates);

using Factory = ObjectRef<GstElementFactory>;

// UFO's task ("flat-field-correct", with or without hyphens) or GStreamer's element; ours first. Null if
// there is neither.
Factory find_factory(const std::string &plugin);
// The same or an error with a suggestion. `package`, if any, is the GStreamer plugin that must have it.
Factory require_factory(const std::string &plugin, const std::string &package = {});
// As users know it: the task's name of our elements, else the element's.
std::string plugin_name(GstElementFactory *factory);
std::vector<std::string> task_names();

// A new element, floating.
GstElement *make_element_of(const std::string &plugin, const std::string &name,
                            const std::string &package = {});

// Throws for what can be no part of a dataflow: a pipeline, which has an end and a clock of its own, and an
// element that will never have inputs or outputs, such as an empty bin.
void require_node(GstElement *element);

// What can be set on an element, in the order of declaration.
std::vector<GParamSpec *> settable_properties(GObjectClass *klass);
// Throws with a suggestion.
GParamSpec *require_property(GstElement *element, const std::string &name);

} // namespace tomo
