// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One run of a pipeline after the other, in a thread that listens to its bus.
#pragma once

#include <gst/tomo/graph/graph.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <variant>

namespace tomo {

// Arrays given by all sources, those they will give (0: not known), those arrived at all sinks.
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
    // `announce` is called by the thread of the run whenever take() has something new; `finished` as the last
    // thing that thread does.
    Runner(std::function<void()> announce, std::function<void()> finished);
    ~Runner();

    void start(Graph &graph);
    bool is_running() const;
    // The end of the stream, after which what is there is completed.
    void end();
    void abort();

    // Next event, if there is one.
    std::optional<RunEvent> take();
    // Until there is an event (true), or no event and no run (false); or the time is over.
    bool wait(std::optional<std::chrono::milliseconds> patience = {});
    // After the end: until nothing of the run is left.
    void settle();
    // Of the run that ended.
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
    std::mutex thread_lock_; // before lock_
    std::thread thread_;
    ObjectRef<GstElement> pipeline_; // that runs
    std::vector<ObjectRef<GstElement>> sources_;
    std::vector<std::pair<ObjectRef<GstPad>, gulong>> ends_; // probes that end the streams of sources
    bool running_ = false;
    std::atomic<bool> aborted_{false};
    std::optional<Error> error_;
    double seconds_ = 0;
};

} // namespace tomo
