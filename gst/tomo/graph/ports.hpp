// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Inputs and outputs of elements: by number, as files and lines name them, and by the pads' templates.
#pragma once

#include <gst/tomo/device/gobject.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tomo {

// The name of the pad that is an element's n-th input. Inputs are the sink pad templates in order; the last
// one may be numbered (sink_%u). Empty if GStreamer has to choose. Throws if there is no such input.
std::string input_pad(GstElement *element, unsigned n);
// The number of an input pad; none if the pad has only a name.
std::optional<unsigned> input_number(GstElement *element, const std::string &pad);
// The name of the pad that is an element's n-th output; empty for the first one. Throws if there is no such
// output.
std::string output_pad(GstElement *element, unsigned n);
// The full name of an output; an empty name means the first one. Empty if it is known only when the stream
// runs.
std::string output_name(GstElement *element, const std::string &output);
// Whether each output has a thread of its own, so that none waits for the consumer of another one.
bool has_independent_outputs(GstElement *element);

// Templates of pads
// ---------------------------------------------------------------------------------------------------

std::vector<GstPadTemplate *> templates_of(GstElement *element, GstPadDirection direction);
// "sink_%u"
bool is_numbered(GstPadTemplate *templ);
// "sink_"
std::string stem_of(GstPadTemplate *templ);
std::string list_of(const std::vector<GstPadTemplate *> &templates); // for messages

// Existing pads
// ---------------------------------------------------------------------------------------------------

std::vector<ObjectRef<GstPad>> pads_of(GstElement *element, GstPadDirection direction);
GstPadPresence presence(GstPad *pad);
// The pad of that name, requested if necessary; null if there can't be one.
ObjectRef<GstPad> pad_named(GstElement *element, const std::string &name);

// Whether the factory of this name made the element.
bool is_made_by(GstElement *element, const char *factory_name);

} // namespace tomo
