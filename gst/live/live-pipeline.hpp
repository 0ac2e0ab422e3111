// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "live-settings.hpp"

#include <gst/tomo/support/json.hpp>
#include <gst/tomo/support/references.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tomo::live {

// The elements between a camera and slices.
class LivePipeline {
  public:
    // In threads of the stream: `index` is that of a slice's plane, or empty for a volume.
    using Show = std::function<void(std::optional<unsigned> index, SampleRef sample)>;

    // Throws Error.
    LivePipeline(const LiveSettings &settings, Show show);
    ~LivePipeline();
    LivePipeline(const LivePipeline &) = delete;
    LivePipeline &operator=(const LivePipeline &) = delete;

    GstElement *gst() const { return pipeline_.get(); }
    void play();
    void end(); // to NULL
    bool is_of_source(GstObject *object) const;
    // Stops the source that has failed, or starts it again.
    void stop_source();
    void start_source();

    void change(const LiveSettings &settings, const std::string &name);
    void pause(bool is_paused) { is_paused_ = is_paused; }
    void take_fields(const std::string &kind, unsigned count);
    void cancel_fields();
    void keep(double seconds, const std::string &path);
    void stop_keeping();
    void request_volume(const std::string &path);
    GstSample *frame();

    struct Counts {
        std::uint64_t frames, lost, repeated, late, passed, dropped, slices, stored; // passed: to the device
        std::uint64_t kept, to_take;
        double stored_seconds, latency;
    };
    Counts counts() const;
    // Adapts the number of slices to parameters, with so many frames a second that pass to the device.
    void follow_rate(double frames_per_second);

  private:
    struct Branch {
        LivePipeline *owner;
        unsigned index;
        ObjectRef<GstElement> sink;
        ObjectRef<GstPad> slices;
        std::uint64_t count = 0;
    };

    ObjectRef<GstElement> make_source(const LiveSettings &settings);
    ObjectRef<GstElement> named(const char *name) const;
    void set_planes(const LiveSettings &settings);
    void add_branch();
    void remove_branch();
    void set_angles(const LiveSettings &settings);
    void set_phase(const LiveSettings &settings);
    void set_keeping(const LiveSettings &settings);
    void set_volume(const LiveSettings &settings);
    void show(std::optional<unsigned> index, std::uint64_t number_of_slice, GstPad *pad, GstBuffer *buffer);
    void tell_volume(GstPad *pad, GstBuffer *buffer);

    const Show show_;
    ObjectRef<GstElement> pipeline_, source_, store_, waiting_, ring_, slices_, volume_;
    ObjectRef<GstElement> phase_; // where phase is retrieved
    std::mutex lock_;             // for branches_, frame_ and the paths of volumes
    std::vector<std::unique_ptr<Branch>> branches_;
    SampleRef frame_;
    std::string volume_pattern_, next_volume_path_;
    std::atomic<bool> is_paused_{false}, is_volume_wanted_{false}, is_source_down_{false};
    std::atomic<double> rate_{0}, volume_rate_{0};
    std::atomic<std::int64_t> next_volume_{0}; // microseconds
    std::atomic<std::uint64_t> in_{0}, out_{0}, slice_count_{0};
    std::atomic<double> latency_{std::numeric_limits<double>::quiet_NaN()};
    std::uint64_t volumes_ = 0;
};

} // namespace tomo::live
