// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One reconstruction: from settings to a result. Events report its progress, each as a JSON object with
// `event` and `time`. Programs print them as lines (--progress json); user interfaces show them.
#pragma once

#include <gst/reconstruction/axis-finder.hpp>
#include <gst/reconstruction/devices/choice.hpp>
#include <gst/reconstruction/heights.hpp>
#include <gst/reconstruction/inspector.hpp>
#include <gst/reconstruction/plan.hpp>
#include <gst/reconstruction/preview.hpp>
#include <gst/reconstruction/report/report.hpp>
#include <gst/reconstruction/speed.hpp>
#include <gst/tomo/graph/protocol.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tomo {
class Runner;
class Context;
class Graph;
namespace io {
class MemoryImages;
}
} // namespace tomo

namespace tomo::reconstruction {

class ClusterSlabs;
class SlabFolder;
class WorkFolder;

class Job {
  public:
    // The functions below call `tell` in their threads.
    Job(const Settings &settings, std::function<void(const Json &)> tell);
    ~Job();

    // Each of these blocks until it has ended, and throws Error.
    const Inspection &inspect();
    const AxisEstimate &estimate_axis();
    const Plan &plan();
    // Runs the whole job: the result, and the configuration beside it.
    void run();

    // From any thread. finish() ends the stream early and completes the part so far; abort() stops
    // everything.
    void finish();
    void abort();
    // Holds the streams that make the result, or lets them go on. Looking at the scan goes on meanwhile: the
    // preview of the middle slice waits for the axis.
    void pause(bool is_paused);
    // Asks for an image of the result as a file, which is told by an event `preview`.
    void ask_preview(const std::string &path) { preview_.ask(path); }

    // Once run() has told that it is done, from any thread: the images in memory, if the output is "memory:"
    // or a name of memory. Null if there are none.
    GstSample *take_result(); // transfer full
    // See Preview::next().
    GstSample *preview() { return preview_.next(); }

  private:
    struct Course; // progress of the images of a line

    static Json event(const char *kind) { return event_of(kind); }
    void stage(const char *name, unsigned index);
    void message(const char *level, const std::string &text, const std::string &element = {});
    void tell_of(GstMessage *message);
    void tell_components(const GstStructure *effective);
    // Throws if the job was aborted.
    void go_on() const;
    // Opens the device for all lines, each of which would open it again.
    void open_device();
    // Opens it when it is asked.
    DeviceMemory device_memory();
    // Which devices compute, before anything does; whether they share the slices, once the scan is known.
    void choose_devices();
    void settle_devices();
    Plan plan_as_memory_allows(const Axis &axis, const std::vector<Height> *heights);
    void judge_sharing();
    void lend_device(const Graph &graph) const;

    // Runs a line to its end. `on_message` gets the messages of its elements, `on_images` the number of
    // images that have reached its end.
    void run_line(const std::string &line, const std::function<void(GstMessage *)> &on_message,
                  const std::function<void(double)> &on_images = {}, double images_before = 0.0,
                  MiddleRow *middle = nullptr);
    class RunningLine;
    bool run_side_by_side(const SlabFolder &folder, Course &course);
    // While a line runs, now and then: tells whether it is paused, and takes care of previews.
    void attend();
    double paused_seconds() const; // in all pauses that were told
    void write_preview(const std::string &path, GstSample *image);
    // Whether the middle slice can be made ahead of the others.
    bool can_make_middle() const;
    SampleRef make_middle();
    void begin_middle();
    // Of scans at several heights.
    void inspect_heights();
    void settle_heights();
    // Finds and judges axis and roll. Throws what is an error and not ignored.
    Axis settle_axis();
    Axis find_axis();
    AxisFinder axis_finder();
    void look_at_axis();
    void compare_with_scan(const AxisEstimate &found);
    void warn_of_tilt(const AxisEstimate &found);
    void choose_roll(const Axis &axis);
    // Finds displacements where that is asked for; from then on, they come from a file beside the result.
    void align(const Axis &axis);
    void tell_residuals();
    // Throws what is an error and not ignored.
    void check_findings() const;
    void judge_axis(const Axis &axis);
    // Asks for the cluster, which gets ready while the scan is looked at.
    void begin_cluster();
    // How many images a slab of the cluster has; `checked` is a plan with any number.
    void choose_slabs(const Plan &checked);
    std::vector<Workers> workers_of_cluster() const;
    void estimate_time();
    // Returns whether there is a result, whole or not.
    bool reconstruct();
    bool reconstruct_as_devices_can();
    // Whether there are others in place of a device that failed, which are chosen then.
    bool can_do_without_failed(const Error &error);
    // With the axis and the output that are in force.
    void resolve(Settings &resolved) const;
    void write_configuration() const;
    // Begins to watch what the report shows of the streams.
    void prepare_report();
    // Returns whether it is written.
    bool write_report(const char *status, bool has_result);
    // The picture beside the result. Returns whether it is written.
    bool write_picture();
    // Which slice of a sweep is sharpest, where that was measured.
    void tell_sharpest();
    // Which image of a sweep has which value. Returns the file for that, if it is one of its own.
    std::optional<std::string> write_values() const;

    Settings settings_;
    const std::function<void(const Json &)> tell_;
    std::unique_ptr<Inspection> inspection_;
    std::unique_ptr<AxisEstimate> estimate_;
    std::vector<std::unique_ptr<Job>> parts_; // one for each of several scans at different heights
    std::vector<Height> heights_;             // these scans, from the top to the bottom
    std::unique_ptr<Plan> plan_;
    std::unique_ptr<ClusterSlabs> cluster_;
    RunRecord record_;
    bool has_report_ = false;                   // whether there will be one
    std::unique_ptr<MiddleRow> middle_;         // null without a report, and in a sweep
    std::shared_ptr<io::MemoryImages> result_;  // if it goes into memory
    std::unique_ptr<WorkFolder> shifts_folder_; // of the displacements of a result in memory
    Preview preview_;
    std::shared_ptr<Context> context_;
    std::vector<SharingDevice> devices_; // that are named, the fastest one first
    std::string given_devices_;          // as settings had them
    bool are_devices_chosen_ = false;
    std::thread opening_; // devices, while the scan is looked at
    SharesOfDevices shares_;
    std::optional<Error> wrong_devices_;       // why those of the environment can't be
    std::optional<std::size_t> failed_device_; // whose slices are lost, of a line that ended so
    std::mutex lock_;
    std::vector<Runner *> runners_;   // of the running lines
    Runner *middle_runner_ = nullptr; // of the preview
    std::thread middle_thread_;       // makes the preview of the middle slice, once somebody asks
    std::string middle_failure_;      // written by this thread
    std::atomic<bool> middle_is_over_{false};
    bool is_told_paused_ = false;
    unsigned states_ = 0; // that were told
    std::function<void(double)> on_cluster_images_;
    std::string components_;      // of dynamic flats, as they were told
    double paused_seconds_ = 0.0; // in pauses that are over
    std::chrono::steady_clock::time_point paused_since_;
    std::atomic<bool> paused_{false}, finishing_{false}, aborting_{false}, joining_{false},
        makes_images_{false}, has_result_{false};
};

} // namespace tomo::reconstruction
