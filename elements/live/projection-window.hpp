// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The newest projections of a stream, on the device, for elements that make slices of them while the sample
// turns.
#pragma once

#include "frame-meta.hpp"

#include <gst/tomo/compute/compute.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace tomo::live {

struct View {
    double angle = 0.0;      // radians
    std::uint64_t index = 0; // of the frame
};

// Projections that follow each other, in one array along depth, each with zeros around it: one column and row
// before, two behind. Those that are written never change.
struct Block {
    Block(const ArrayInfo &info, Array memory) : samples(std::move(memory)), views(info.depth) {}

    Array samples;
    std::vector<View> views;
};

// The projections that were the newest ones at some moment, the oldest first. It keeps their memory.
class Window {
  public:
    static constexpr char meta_name[] = "GstTomoWindowMeta", meta_api_name[] = "GstTomoWindowMetaAPI";

    struct Part {
        std::shared_ptr<const Block> block;
        unsigned first, count; // views of the block
    };

    ArrayInfo projection; // of one, without zeros around
    std::vector<Part> parts;
    std::uint64_t number = 0; // projections of the stream so far
    // The number from which on they cover what the user wants to cover; empty where they do not.
    std::optional<std::uint64_t> whole_since;
    std::vector<double> angles() const;
    std::uint64_t newest_index() const { return parts.back().block->views[last_of(parts.back())].index; }

  private:
    static unsigned last_of(const Part &part) { return part.first + part.count - 1; }
};

// Keeps the newest projections. A block whose projections are all too old returns its memory when nobody
// reads it any more.
class Ring {
  public:
    // How many are kept: `views`, or, with 0, as many as cover half a turn.
    Ring(const ArrayInfo &projection, unsigned views) : projection_(projection), views_(views) {}

    const ArrayInfo &projection() const { return projection_; }
    unsigned views() const { return views_; }
    // Copies one projection, of any format. `copy` is keep() of projection-ring.cl, of `compute`. Throws
    // Error where the device has no room for as many projections as it takes.
    void put(Compute &compute, const Kernel &copy, const Array &projection, const View &view);
    // Those that are kept now; null before the first one.
    std::shared_ptr<const Window> window() const;

  private:
    Block &writable(Compute &compute);
    void trim();
    bool is_whole(std::uint64_t without) const;
    bool is_behind_gap(double angle) const;
    const View &view(std::uint64_t n) const; // of the stream
    std::uint64_t kept() const { return number_ - first_; }

    const ArrayInfo projection_;
    const unsigned views_;
    std::vector<std::shared_ptr<Block>> blocks_;
    std::uint64_t first_of_blocks_ = 0;    // number of the first view of the first block
    std::uint64_t first_ = 0, number_ = 0; // views that are kept
    std::optional<std::uint64_t> whole_since_;
};

// A window travels with the buffer of its newest projection.
using WindowMeta = FrameMeta<Window>;

} // namespace tomo::live
