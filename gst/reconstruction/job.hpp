// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One reconstruction: from settings to a result. Events tell how far it is, each as a JSON object with
// `event` and `time`; programs print them as lines (--progress json), faces show them.
#pragma once

#include <gst/reconstruction/axis.hpp>
#include <gst/reconstruction/chain.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace tomo {
class Runner;
}

namespace tomo::reconstruction {

// Version of the events' vocabulary, told by the first one.
constexpr int protocol_version = 1;

class Job {
  public:
    // `tell` is called in the threads of the functions that follow.
    Job(const Settings &settings, std::function<void(const Json &)> tell);
    ~Job();

    // Each of these blocks, and throws Error.
    const Inspection &inspect();
    const AxisEstimate &estimate_axis();
    const Plan &plan();
    // The whole: the result, and the configuration beside it.
    void run();

    // From any thread. The stream ends early, and the part that is there is completed; or everything stops.
    void finish();
    void abort();

  private:
    struct Course; // of the images of a line

    Json event(const char *kind) const;
    void stage(const char *name, unsigned index);
    void message(const char *level, const std::string &text, const std::string &element = {});
    void tell_of(GstMessage *message);
    // Throws where nothing more is to be done.
    void go_on() const;

    // Runs a line to its end. `on_message` gets the messages of its elements, `on_images` how many images
    // have come to its end.
    void run_line(const std::string &line, const std::function<void(GstMessage *)> &on_message,
                  const std::function<void(double)> &on_images = {});
    Axis find_axis();
    void judge_axis(const Axis &axis);
    void reconstruct();
    void remove_slabs();
    void write_configuration();

    Settings settings_;
    const std::function<void(const Json &)> tell_;
    std::unique_ptr<Inspection> inspection_;
    std::unique_ptr<AxisEstimate> estimate_;
    std::unique_ptr<Plan> plan_;
    std::mutex lock_;
    Runner *runner_ = nullptr; // of the line that runs
    std::atomic<bool> finishing_{false}, aborting_{false};
};

} // namespace tomo::reconstruction
