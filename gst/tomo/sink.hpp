// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/element.hpp>

#include <gst/base/gstbasesink.h>

namespace tomo {

// The end of a stream. Sinks take arrays as fast as they come, not by the clock.
class GST_TOMO_API Sink : public Element {
  public:
    static GType parent_type();

    bool needs_device() const override { return false; }
    // Whether buffers should stay on the device; otherwise their download starts before they arrive, where
    // upstream can do that.
    virtual bool wants_device_memory() const { return false; }

    // New caps; throws Error on what can't be taken.
    virtual void begin(const ArrayInfo &info) = 0;
    virtual void consume(GstBuffer *buffer, const ArrayInfo &info) = 0;
    // The stream is complete.
    virtual void finish() {}
    // The stream was stopped or broke before its end, after at least one begin().
    virtual void abandon() {}
    // After a flush, or after finish(), more is coming: forget what was consumed. begin() follows.
    virtual void restart() {}

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;

    bool activate();
    void deactivate();
    bool set_caps(GstCaps *caps);
    GstFlowReturn render(GstBuffer *buffer);
    bool end_of_stream();
    void flush();

  private:
    ArrayInfo info_;
    bool has_caps_ = false;
    bool begun_ = false;
    bool has_consumed_ = false;
    bool restart_ = false; // before the next buffer
};

} // namespace tomo
