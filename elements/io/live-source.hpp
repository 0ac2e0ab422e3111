// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sources whose frames come when they come: from cameras and over networks. Each frame has a number and
// times, and those that do not arrive are counted and told.
#pragma once

#include <gst/tomo/bases/source.hpp>

#include <chrono>
#include <cmath>
#include <set>

namespace tomo {

// One of the frames of a source.
struct LiveFrame {
    ArrayInfo info;
    std::uint64_t number = 0;                     // in the stream, from 0; lost frames have numbers, too
    double angle = std::nan("");                  // radians
    GstClockTime exposed = GST_CLOCK_TIME_NONE;   // nanoseconds since the epoch
    GstClockTime of_device = GST_CLOCK_TIME_NONE; // the same moment by the device's own clock, nanoseconds
    GstClockTime arrived = GST_CLOCK_TIME_NONE;   // at this host, nanoseconds since the epoch
    std::string origin;                           // a camera, an address
};

// Nanoseconds since the epoch of a date by ISO 8601, of which one without a zone is `local`; empty for a text
// that is no date.
std::optional<GstClockTime> time_of_date(const std::string &date, GTimeZone *local);

// The stream is live. Its frames have the frame meta with number, angle and time of exposure, and
// GstReferenceTimestampMeta with "timestamp/x-unix" (arrival) and "timestamp/x-tomo-device" (the device's
// clock).
class LiveSource : public Source {
  public:
    static GType parent_type();

    // The default of `timeout`, in seconds.
    explicit LiveSource(double timeout);

    Property<double> timeout;
    Result received{this, "received", "Frames that came, since the start"};
    Result lost{this, "lost", "Frames that did not come or came damaged, by their numbers, since the start"};
    Result repeated{this, "repeated", "Frames that came once more and were left out, since the start"};

    bool may_be_empty() const override { return true; }
    void attach() override;
    void start() override; // those that override it call it

    std::optional<ArrayInfo> frame_info(std::uint64_t n) final;
    Array frame(std::uint64_t n, const ArrayInfo &info) final;
    void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) final;
    // Adds times to the buffer of the frame that was given last.
    void stamp(GstBuffer *buffer) const;

  protected:
    // Waits for a frame and keeps its samples; empty at the end. Throws Flushing where the element is
    // cancelled.
    virtual std::optional<LiveFrame> receive() = 0;
    // Copies these samples, packed; `to` is null for a frame that is left out. Lets them go.
    virtual void take_samples(void *to) = 0;

    // Frames up to the number `end` that have not come are lost.
    void expect(std::uint64_t end);
    // A warning, at most once a second.
    void warn_at_times(const std::string &message);
    static GstClockTime now(); // since the epoch

  private:
    bool is_new(std::uint64_t number);
    void tell_lost(std::uint64_t first, std::uint64_t count);

    std::optional<LiveFrame> waiting_; // received, and not given yet
    LiveFrame given_;
    std::uint64_t expected_ = 0;      // number of the next frame
    std::set<std::uint64_t> missing_; // numbers that may still come
    std::uint64_t given_count_ = 0, lost_count_ = 0, repeated_count_ = 0;
    std::optional<std::chrono::steady_clock::time_point> warned_;
};

} // namespace tomo
