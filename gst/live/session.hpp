// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A live run: its pipeline, what changes while it runs, and what it tells.
#pragma once

#include "live-pipeline.hpp"

#include <gst/tomo/graph/event-thread.hpp>
#include <gst/tomo/support/json.hpp>

#include <map>

namespace tomo::live {

struct LiveEvent {
    enum class Kind { json, progress, slice, volume };

    Kind kind;
    unsigned index = 0; // of a slice's plane
    std::string text;   // JSON
    SampleRef sample;
};

// Runs pipelines in a thread, one after the other. Any thread may call its functions.
class Session : public EventThread<LiveEvent> {
  public:
    using EventThread::EventThread;
    ~Session();

    // Throws Error where parameters make no pipeline.
    void start(const LiveSettings &settings);
    void stop();
    void pause(bool is_paused);
    // Puts a change of parameters into force while it runs; `name` has changed. Throws Error where it can
    // change only before the start.
    void change(const LiveSettings &settings, const std::string &name);

    // Throw Error where nothing runs, or the command can't be.
    void take_fields(const std::string &kind, unsigned count);
    void cancel_fields();
    void keep(double seconds, const std::string &path);
    void stop_keeping();
    // To a new file, where a path is given.
    void request_volume(const std::string &path = {});

    // Transfer full; null before the first one.
    GstSample *slice(unsigned index);
    GstSample *volume();
    GstSample *frame();
    GstElement *element(const std::string &name);
    Json statistics();

  private:
    struct Course;

    std::shared_ptr<LivePipeline> running_or_null();
    std::shared_ptr<LivePipeline> running(); // for a command; throws Error
    void show(std::optional<unsigned> index, SampleRef sample);
    void run(std::shared_ptr<LivePipeline> pipeline, Course course);
    void tell(const Json &event) { push({LiveEvent::Kind::json, 0, event.written(false), {}}); }
    void set_state(Course &course, const char *state);
    void look(GstMessage *message, LivePipeline &pipeline, Course &course);
    void watch(LivePipeline &pipeline, Course &course);
    void tell_progress(LivePipeline &pipeline, Course &course);

    std::shared_ptr<LivePipeline> pipeline_; // while it runs
    std::map<unsigned, SampleRef> slices_;   // the last ones
    SampleRef volume_;
    Json statistics_;
    std::atomic<bool> is_stopping_{false};
    std::atomic<bool> was_steered_{false}; // somebody waits for an answer
};

} // namespace tomo::live
