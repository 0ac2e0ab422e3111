// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The program tomo-cluster, which has a cluster make slabs. It gets an object of JSON in each line, and
// answers in the same way; gsttomo.cluster has the words.
#pragma once

#include <gst/tomo/support/json.hpp>

#include <gio/gio.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace tomo::reconstruction {

class ClusterProgram {
  public:
    // Starts it. Throws Error where there is no such program.
    explicit ClusterProgram(const std::string &cluster);
    // Ends it; a cluster of its own ends with it.
    ~ClusterProgram();
    ClusterProgram(const ClusterProgram &) = delete;
    ClusterProgram &operator=(const ClusterProgram &) = delete;

    void tell(const Json &command);
    // What it says, or nothing within this time. Throws Error where it has failed or has ended.
    std::optional<Json> next(std::chrono::milliseconds patience);

  private:
    struct Unref {
        void operator()(gpointer object) const { g_object_unref(object); }
    };

    void read();

    std::unique_ptr<GSubprocess, Unref> process_;
    std::thread reader_;
    std::mutex lock_;
    std::condition_variable told_;
    std::deque<std::string> lines_;
    bool has_ended_ = false;
};

} // namespace tomo::reconstruction
