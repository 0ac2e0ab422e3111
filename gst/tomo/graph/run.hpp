// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs pipelines, one after the other, in a thread that listens to the bus.
#pragma once

#include <gst/tomo/graph/graph.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <variant>

namespace tomo {

// Number of arrays that all sources have given, that they will give (0: not known), and that have arrived at
// all sinks.
struct Progress {
    guint64 position = 0, duration = 0, output = 0;
    bool operator==(const Progress &o) const {
        return position == o.position && duration == o.duration && output == o.output;
    }
};

struct Done {};
using MessageRef = Reference<GstMessage, mini_object_ref, mini_object_unref>;
using RunEvent = std::variant<Progress, MessageRef, Error, Done>;

class Runner {
  public:
    // The thread of the run calls `announce` whenever take() has a new event, and `finished` last of all.
    Runner(std::function<void()> announce, std::function<void()> finished);
    ~Runner();

    void start(Graph &graph);
    bool is_running() const;
    // Ends the stream early; sinks complete their results.
    void end();
    void abort();

    // The next event, if there is one.
    std::optional<RunEvent> take();
    // Waits for an event (true), for the end of the run without any (false), or at most `patience`.
    bool wait(std::optional<std::chrono::milliseconds> patience = {});
    // After the end: waits until the thread of the run is gone.
    void settle();
    // The error of the run that ended, if it failed.
    std::optional<Error> error() const;
    double seconds() const;

  private:
    void run(Graph &graph, ObjectRef<GstElement> pipeline);
    void listen(const Graph &graph, GstElement *pipeline);
    void push(RunEvent event);
    Error error_of(const Graph &graph, GstMessage *message) const;

    const std::function<void()> announce_, finished_;
    mutable std::mutex lock_;
    std::condition_variable wake_;
    std::deque<RunEvent> events_;
    std::mutex thread_lock_; // taken before lock_
    std::thread thread_;
    ObjectRef<GstElement> pipeline_; // the running one
    std::vector<ObjectRef<GstElement>> sources_;
    std::vector<std::pair<ObjectRef<GstPad>, gulong>> ends_; // probes that end the streams of sources
    bool running_ = false;
    std::atomic<bool> aborted_{false};
    std::optional<Error> error_;
    double seconds_ = 0;
};

} // namespace tomo
