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

// Throws the Error of a faulty graph.
[[noreturn]] void graph_error(GstTomoGraphError code, const std::string &message);

// The candidate nearest to `word`; empty if none is near.
std::string nearest(const std::string &word, const std::vector<std::string> &candidates);
// " (did you mean 'x'?)", or nothing; a message can go on behind it.
GST_TOMO_API std::string suggestion(const std::string &word, const std::vector<std::string> &candidates);

using Factory = ObjectRef<GstElementFactory>;

// A task ("flat-field-correct", with or without hyphens), else an element of GStreamer. Null if there is
// neither.
Factory find_factory(const std::string &plugin);
// The same; throws with a suggestion if there is neither. `package`, if any, is the GStreamer plugin that
// must contain the element.
Factory require_factory(const std::string &plugin, const std::string &package = {});
// The name for users: the task's name for elements of this library, else the element's name.
std::string plugin_name(GstElementFactory *factory);
std::vector<std::string> task_names();

// A new element, with a floating reference.
GstElement *make_element_of(const std::string &plugin, const std::string &name,
                            const std::string &package = {});

// Throws for elements that can't be a node: a pipeline, which has an end and a clock of its own, and an
// element that never has inputs or outputs, such as an empty bin.
void require_node(GstElement *element);

// The properties of an element that can be set, in the order of declaration.
std::vector<GParamSpec *> settable_properties(GObjectClass *klass);
// Throws with a suggestion if there is none of this name.
GParamSpec *require_property(GstElement *element, const std::string &name);

} // namespace tomo
