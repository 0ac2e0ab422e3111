// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driven-run.hpp"
#include "event-output.hpp"

#include "../graph-program.hpp"

#include <gst/reconstruction/preview.hpp>
#include <gst/tomo/graph/protocol.hpp>
#include <gst/tomo/support/references.hpp>

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
    void ask_preview(const std::string &path) { preview_.ask(path); }

  private:
    void on_progress(guint64 position, guint64 duration, guint64 output);
    void on_message(GstMessage *message);
    void tell_numbers(GstMessage *message);
    void watch_images();
    void write_previews(bool is_over);
    tomo::Json outputs() const;
    static GstPadProbeReturn offer(GstPad *pad, GstPadProbeInfo *info, gpointer self);

    const Owned<GstTomoGraph> graph_;
    EventOutput &output_;
    tomo::reconstruction::Preview preview_;
    tomo::ObjectRef<GstPad> shown_; // pad whose images are shown
    gulong probe_ = 0;
    guint64 images_ = 0; // that came there
    bool is_paused_ = false, is_finishing_ = false;
    std::string path_beside_; // of previews; empty where nothing is written
    const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

} // namespace tool
