// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/support/json.hpp>
#include <gst/tomo/support/references.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tomo::reconstruction {

// Copies of images of the result while it is made, on request: who looks seldom costs the stream nothing. An
// image has its number as the buffer's offset. An image amid iterations tells `iteration` and `iterations` in
// the sample's info.
class GST_TOMO_API Preview {
  public:
    // From any thread: asks for the next image, and gives the one that came since the last call. Null if
    // there is none. Transfer full.
    GstSample *next();
    // Asks for an image that is written to a file; see take().
    void ask(const std::string &path);

    // Whether somebody has asked and gets no image yet.
    bool is_wanted() const { return is_wanted_; }
    // From now on the first image is the one of give(), and not one of the stream.
    void wait_for_first();
    // Null: it can't be had, and those of the stream serve.
    void give(SampleRef image);
    // In the stream: an array whose last image has this number.
    void offer(GstPad *pad, GstBuffer *buffer, guint64 number);
    // Whether an image that is not finished would serve, and such a one.
    bool wants_iterate() const { return is_wanted_ && !waits_for_first_; }
    void offer_iterate(const SampleRef &image);

    // An image for a file, with its name.
    std::optional<std::pair<std::string, SampleRef>> take();
    // The files for which no image came.
    std::vector<std::string> unserved();

  private:
    void hand_out(const SampleRef &image);

    std::atomic<bool> is_wanted_{false}, waits_for_first_{false};
    std::mutex lock_;
    bool next_is_wanted_ = false;
    SampleRef last_;
    std::vector<std::string> paths_;
    std::deque<std::pair<std::string, SampleRef>> for_files_;
};

// The elements of a dataflow that make slices by iterations.
class IteratingElements {
  public:
    explicit IteratingElements(const Graph &graph);

    // Asks them for a slice as it is, which comes in a message `tomo-iterate`.
    void ask();
    // The image of the result in such a message, where images of the dataflow are numbered from `before` on.
    SampleRef image_of(const GstStructure *told, guint64 before) const;

  private:
    struct Region {
        unsigned x, y, width, height;
    };

    template <class F>
    void for_each(F function) const;

    // In which they are; a bin may have more later.
    std::vector<ObjectRef<GstElement>> elements_;
    unsigned asked_ = 0;
};

// Writes an image to a file of numpy, as a whole or not at all, and returns the event that tells of it.
GST_TOMO_API Json write_preview_file(const std::string &path, GstSample *image);

} // namespace tomo::reconstruction
