// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs pipelines, one after the other, in a thread that listens to the bus.
#pragma once

#include <gst/tomo/graph/event-thread.hpp>
#include <gst/tomo/graph/graph.hpp>

#include <atomic>
#include <variant>

namespace tomo {

// Arrays that copies of nodes have computed on a device.
struct DeviceArrays {
    unsigned device; // its index among all
    std::string name;
    guint64 arrays;
    bool operator==(const DeviceArrays &o) const { return device == o.device && arrays == o.arrays; }
};

// Number of arrays that all sources have given, that they will give (0: not known), and that have arrived at
// all sinks.
struct Progress {
    guint64 position = 0, duration = 0, output = 0;
    std::vector<DeviceArrays> devices = {};
    bool operator==(const Progress &o) const {
        return position == o.position && duration == o.duration && output == o.output && devices == o.devices;
    }
};

struct Done {};
using MessageRef = Reference<GstMessage, mini_object_ref, mini_object_unref>;
using RunEvent = std::variant<Progress, MessageRef, Error, Done>;

class GST_TOMO_API Runner : public EventThread<RunEvent> {
  public:
    using EventThread::EventThread;
    ~Runner() { leave_thread(); }

    void start(Graph &graph);
    // Ends the stream early; sinks complete their results.
    void end();
    void abort();
    // Holds the stream at its sinks, or lets it go on; also before it starts.
    void pause(bool is_paused);
    // Waits until take() can give all messages that were posted before, or the run has ended.
    void sync();

    double seconds() const;
    // Of the last run, as far as it is known.
    std::vector<DeviceArrays> devices() const;

  private:
    void run(Graph &graph, ObjectRef<GstElement> pipeline);
    void listen(const Graph &graph, GstElement *pipeline);
    void tell(RunEvent event);
    void wake(const char *why);
    void end_foreign(GstElement *source);
    void end_active();
    Error error_of(const Graph &graph, GstMessage *message) const;

    ObjectRef<GstElement> pipeline_; // the running one
    std::vector<ObjectRef<GstElement>> sources_;
    std::vector<std::pair<ObjectRef<GstPad>, gulong>> ends_; // probes that end the streams of sources
    std::atomic<bool> aborted_{false}, paused_{false};
    bool is_ending_ = false, is_active_ = false; // the latter: sources don't forget an end any more
    std::uint64_t marks_ = 0, marks_seen_ = 0;   // messages of sync(), with the lock held
    double seconds_ = 0;
    std::vector<DeviceArrays> devices_;
};

} // namespace tomo
