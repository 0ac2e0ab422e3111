// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The slabs of a plan, as a cluster makes them.
#pragma once

#include <gst/reconstruction/cluster/program.hpp>
#include <gst/reconstruction/plan.hpp>
#include <gst/reconstruction/speed.hpp>

#include <functional>

namespace tomo::reconstruction {

class ClusterSlabs {
  public:
    struct Listener {
        std::function<void(const char *level, const std::string &text, const std::string &element)> message;
        std::function<void(double)> images; // that are made
        // Now and then. Throws Error to stop.
        std::function<void()> attend;
    };

    // Throws Error where it can't be reached by its name.
    ClusterSlabs(const Settings &settings, Listener listener);

    // Waits for the first workers, and returns how many there are, or 1 behind finish(). Throws Error where
    // none comes.
    unsigned workers();
    // The same workers by their devices; empty where these are not known.
    const std::vector<Workers> &kinds() const { return kinds_; }
    // Makes those that `is_there` does not have. Returns whether all are there: slabs that were begun are
    // completed behind finish(). Throws Error; one for which is_out_of_device_memory() is true leaves the
    // workers ready for smaller slabs.
    bool make(const Plan &plan, const std::function<bool(const Slab &)> &is_there);
    // Joins the slabs of a plan, which are in its folder, to a virtual dataset. The folder gets another name.
    void join(const Plan &plan);
    // Who has made how many.
    const std::string &shares() const { return shares_; }

    // From attend():
    void pause(bool is_paused);
    void finish();

  private:
    // Waits for an event of this kind, or for finish() if that `can_end` it.
    std::optional<Json> wait_for(const char *kind, bool can_end);

    const Settings &settings_;
    const Listener listener_;
    ClusterProgram program_;
    unsigned workers_ = 0;
    std::vector<Workers> kinds_;
    std::string shares_;
    bool is_paused_ = false, is_finishing_ = false;
};

} // namespace tomo::reconstruction
