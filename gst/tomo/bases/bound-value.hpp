// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values for properties that travel with the stream, so that each belongs to a known array.
#pragma once

#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <memory>

namespace tomo {

// Sets a property of `target`.
class ValueReceiver {
  public:
    virtual ~ValueReceiver() = default;
    virtual GstElement *target() const = 0;
    virtual void deliver(guint64 number, const GValue *value) = 0;
};

// An event that carries a value. `number` grows from value to value, so that the receiver can drop an older
// value that arrives later on a longer way.
EventRef bound_value_event(std::shared_ptr<ValueReceiver> receiver, guint64 number, const GValue *value);
bool is_bound_value(GstEvent *event);
// Whether both events are values for one property, so that the older one can be dropped.
bool replaces_bound_value(GstEvent *newer, GstEvent *older);
// For elements that hold arrays back: delivers the value if it is for `element`, and returns whether it was.
// Call this after all earlier arrays have been processed.
bool take_bound_value(GstElement *element, GstEvent *event);

} // namespace tomo
