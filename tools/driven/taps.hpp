// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "../graph-program.hpp"

#include <gst/reconstruction/preview.hpp>
#include <gst/tomo/support/json.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tool {

struct Tap;

// Looks at the arrays that pass the pads of a dataflow's nodes: counts them, and copies those that somebody
// asks for.
class Taps {
  public:
    Taps() = default;
    ~Taps();
    Taps(const Taps &) = delete;
    Taps &operator=(const Taps &) = delete;

    // Pads that the node has, and those that it gets later; where copies of it run, theirs. After the
    // dataflow has become a pipeline.
    void watch(GstElement *node);

    // By node: the arrays that have left it, at its busiest output; that came to it where it gives none.
    tomo::Json counts() const;

    // Asks for the next array at that input; empty: at the first one. Throws std::runtime_error if there is
    // no such node or input.
    void ask(const std::string &node, const std::string &input, const std::string &path);
    struct Taken {
        std::string path;
        tomo::SampleRef image; // null where none came
        std::string node, input;
    };
    // Those that were asked for and came; if it is over, also those that did not come.
    std::vector<Taken> take(bool is_over);

  private:
    void add(GstElement *node, GstPad *pad);
    void add_pads(GstElement *node, GstElement *of);
    void connect(GstElement *to, const char *signal, GCallback callback);

    mutable std::mutex lock_; // pads come from threads of the stream
    std::vector<std::shared_ptr<Tap>> taps_;
    std::vector<std::pair<tomo::ObjectRef<GstElement>, gulong>> handlers_;
};

} // namespace tool
