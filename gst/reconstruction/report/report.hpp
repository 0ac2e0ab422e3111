// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The report beside a result: a page in HTML for people, which needs no other file.
#pragma once

#include <gst/reconstruction/axis.hpp>
#include <gst/reconstruction/middle-row.hpp>
#include <gst/reconstruction/report/iterations.hpp>

#include <chrono>

namespace tomo::reconstruction {

// The course of a run.
class RunRecord {
  public:
    struct Stage {
        std::string name; // as in the events
        double seconds;
    };
    struct Message {
        std::string level, text, element;
    };

    // Ends the stage before. `paused`: seconds in all pauses so far, which count for no stage.
    void begin(const std::string &stage, double paused);
    void end(double paused);
    void tell(Message message) { messages_.push_back(std::move(message)); }

    const std::vector<Stage> &stages() const { return stages_; }
    const std::vector<Message> &messages() const { return messages_; }

    std::string status = "done"; // as in the last event
    std::vector<double> sharpness; // of each slice of a sweep, less is sharper; empty if it was not measured
    // The number of the slice that is sharpest, if there is one that is sharper than others.
    std::optional<std::size_t> sharpest() const;
    IterationRecord iterations; // where slices are made by some
    double images = 0.0; // of the result that were made, also by earlier runs that this one goes on with
    double images_before = 0.0; // by these
    std::string devices;        // what each of them made, where several shared the images

  private:
    using Clock = std::chrono::steady_clock;

    std::vector<Stage> stages_;
    std::vector<Message> messages_;
    Clock::time_point since_;
    double paused_before_ = 0.0;
    bool is_open_ = false;
};

struct ReportFacts {
    const Settings &settings; // with the axis and the output that were in force
    const Inspection &scan;
    const Plan &plan;
    const RunRecord &record;
    const AxisEstimate *estimate; // null if none was needed
    const MiddleRow *sinograms;   // null if none was watched
    bool has_result;              // whether slices are there, all or some
};

// A part that can't be made says why in its place.
std::string report_of(const ReportFacts &facts);

// Its parts that are pictures.
std::string slices_section(const ReportFacts &facts);
std::string sweep_section(const ReportFacts &facts);
std::string iterations_section(const ReportFacts &facts);
std::string sinograms_section(const ReportFacts &facts);

} // namespace tomo::reconstruction
