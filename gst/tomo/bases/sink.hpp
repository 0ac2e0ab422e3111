// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/element.hpp>

#include <gst/base/gstbasesink.h>

#include <condition_variable>
#include <thread>

namespace tomo {

// The end of a stream. Sinks take arrays as fast as they come, not by the clock, and consume them in a thread
// of their own, so that writing and computing overlap.
class GST_TOMO_API Sink : public Element {
  public:
    static GType parent_type();

    bool needs_device() const override { return false; }
    // Whether buffers should stay on the device; otherwise upstream starts their download before they arrive,
    // where it can. Asked from any thread, also after start().
    virtual bool wants_device_memory() const { return false; }

    // New caps; throws Error on arrays that the sink can't take.
    virtual void begin(const ArrayInfo &info) = 0;
    // Called in the thread of the sink; other functions are called while that thread is idle.
    virtual void consume(GstBuffer *buffer, const ArrayInfo &info) = 0;
    // The stream is complete.
    virtual void finish() {}
    // The stream was stopped or broke before its end, after at least one begin().
    virtual void abandon() {}
    // Most bytes of host memory that arrays may hold while they wait to be consumed.
    static std::size_t most_bytes_waiting();

    // More arrays come after a flush or after finish(): discards the earlier ones. begin() follows.
    virtual void clear() {}

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;

    void activate();
    void deactivate() noexcept;
    void set_caps(GstCaps *caps);
    GstFlowReturn render(GstBuffer *buffer);
    bool end_of_stream();
    bool has_position(GstQuery *query) const;
    void start_flush();
    void stop_flush();

  private:
    struct Item {
        BufferRef buffer;
        GstClockTime time; // of the stream
    };

    void enqueue(Item item);
    void consume_queue();
    bool is_idle() const { return queue_.empty() && !consuming_; }
    void wait_until_idle();
    void end_thread();
    GstFlowReturn failed_flow();

    ArrayInfo info_;
    bool has_caps_ = false;
    std::atomic<bool> has_time_{true}; // whether arrays have times, as far as known
    bool begun_ = false;
    bool has_consumed_ = false;
    bool begins_anew_ = false; // with the next buffer

    std::mutex queue_lock_; // for all members below
    std::condition_variable queue_changed_;
    std::deque<Item> queue_;
    std::size_t queued_bytes_ = 0;
    bool consuming_ = false; // the thread works on an item that it took off the queue
    bool ending_ = false;
    std::thread thread_;
};

} // namespace tomo
