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

// The pad that is an element's n-th input: its sink pad templates in order, the last of which may be numbered
// (sink_%u). Empty where GStreamer has to choose. Throws when there is no such input.
std::string input_pad(GstElement *element, unsigned n);
// The opposite; none where only the name tells.
std::optional<unsigned> input_number(GstElement *element, const std::string &pad);
// The pad that is an element's n-th output; empty for the first one. Throws when there is no such output.
std::string output_pad(GstElement *element, unsigned n);
// The output of that name, which is the first one's where it is empty; empty where only the stream tells.
std::string output_name(GstElement *element, const std::string &output);
// Whether outputs come by threads of their own, so that none waits for what the consumer of another one does.
bool has_independent_outputs(GstElement *element);

// Templates of pads
// ---------------------------------------------------------------------------------------------------

std::vector<GstPadTemplate *> templates_of(GstElement *element, GstPadDirection direction);
// "sink_%u"
bool is_numbered(GstPadTemplate *templ);
// "sink_"
std::string stem_of(GstPadTemplate *templ);
std::string list_of(const std::vector<GstPadTemplate *> &templates); // for messages

// Pads that are there
// ---------------------------------------------------------------------------------------------------

std::vector<ObjectRef<GstPad>> pads_of(GstElement *element, GstPadDirection direction);
GstPadPresence presence(GstPad *pad);
// The pad of that name, requested if need be; none where there can't be one.
ObjectRef<GstPad> pad_named(GstElement *element, const std::string &name);

// Whether it is an element of that kind, by the name of GStreamer's factory.
bool is_made_by(GstElement *element, const char *factory_name);

} // namespace tomo
