// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// GstControllers of elements that have copies: the copies follow the same control sources.
#pragma once

#include <gst/tomo/support/references.hpp>

#include <string>
#include <vector>

namespace tomo::stream {

// A property that a control binding drives.
struct ControlledProperty {
    std::size_t element; // by its place among all
    std::string property;
    ObjectRef<GstControlBinding> binding;
    bool operator==(const ControlledProperty &other) const {
        return element == other.element && property == other.property && binding.get() == other.binding.get();
    }
};
using Controlled = std::vector<ControlledProperty>;

// Those of the elements, without bindings that are disabled.
Controlled controlled_by(const std::vector<GstElement *> &elements);

// Gives copies of these elements, in the same order, bindings of their own instead of those that they had for
// `before`. Throws Error for a kind of binding that has no control source.
void follow(const std::vector<GstElement *> &copies, const Controlled &before, const Controlled &wanted);

} // namespace tomo::stream
