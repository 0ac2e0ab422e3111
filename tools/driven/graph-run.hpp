// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driven-run.hpp"
#include "event-output.hpp"
#include "taps.hpp"

#include "../graph-program.hpp"

#include <gst/tomo/graph/protocol.hpp>

#include <chrono>
#include <string>

namespace tool {

// A dataflow that tells events.
class GraphRun final : public DrivenRun {
  public:
    // Starts it; throws std::runtime_error where it can't be run at all.
    GraphRun(Owned<GstTomoGraph> graph, EventOutput &output);
    ~GraphRun() override;

    bool poll() override;
    void obey(const std::string &command) override;
    void finish() override;
    void abort() override;
    int end() override;
    void pause(bool is_paused);
    // Of the last writer, else of the last sink, or of that input of that node.
    void ask_preview(const std::string &path, const std::string &node = {}, const std::string &input = {});

  private:
    void on_progress(guint64 position, guint64 duration, guint64 output);
    void on_message(GstMessage *message);
    void tell_numbers(GstMessage *message);
    void tell_progress();
    void watch_nodes();
    void write_previews(bool is_over);
    tomo::Json outputs() const;

    const Owned<GstTomoGraph> graph_;
    EventOutput &output_;
    Taps taps_;
    std::string shown_;                                // node whose images are shown
    guint64 position_ = 0, duration_ = 0, arrays_ = 0; // as far as it was told
    std::string told_;                                 // of the nodes
    bool is_paused_ = false, is_finishing_ = false;
    Owned<GError> start_error_; // why it did not start
    std::string path_beside_;   // of previews; empty where nothing is written
    const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

} // namespace tool
