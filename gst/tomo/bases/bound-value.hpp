// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values for properties that travel with the stream, so that which array they are for is known.
#pragma once

#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <memory>

namespace tomo {

// Whoever sets a property of `target`.
class ValueReceiver {
  public:
    virtual ~ValueReceiver() = default;
    virtual GstElement *target() const = 0;
    virtual void deliver(guint64 number, const GValue *value) = 0;
};

// `number` grows from value to value: of two ways that a value may take one is longer.
EventRef bound_value_event(std::shared_ptr<ValueReceiver> receiver, guint64 number, const GValue *value);
bool is_bound_value(GstEvent *event);
// Whether both are values for one property, so that the older one need not be kept.
bool replaces_bound_value(GstEvent *newer, GstEvent *older);
// For elements that hold arrays back: delivers the value if it is for the element, and says whether it was.
// To be called when what came before has been processed.
bool take_bound_value(GstElement *element, GstEvent *event);

} // namespace tomo
