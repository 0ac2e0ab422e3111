// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The images of a scan as the frames of a stream: one by one, or as stacks of sinograms.
#pragma once

#include <gst/files/image-reader.hpp>
#include <gst/files/input-claim.hpp>
#include "layout.hpp"
#include <gst/files/stored-frame.hpp>

#include <optional>

namespace tomo::io {

enum class ScanOrder { Projections, Sinograms };

// What is to be read of a scan.
struct ScanPlan {
    ScanRequest request;
    unsigned start = 0, step = 1, number = 0; // of the projections
    Part part;
    ScanOrder order = ScanOrder::Projections;
    unsigned stack = 0;   // most sinograms per array, 0 for a good number
    double timeout = 0.0; // seconds without another frame, of a scan that is followed
    ScanLayout scan;
    std::size_t total = 0;                  // projections of the whole scan, ...
    std::vector<std::size_t> numbers_in_it; // ... and which of them these are
    InputClaim claim;                       // on its files

    // Looks for the scan.
    void find();
};

// One kind of them: "projections", "darks", "flats" or "flats-after".
class ScanFrames {
  public:
    ScanFrames() = default;
    ScanFrames(std::shared_ptr<const ScanPlan> plan, const std::string &kind);

    // The plan found more images behind those that there were.
    void grow(std::shared_ptr<const ScanPlan> plan);
    // Looks how large they are. Where there is at least one of them, and before what stands below.
    void measure();

    const ScanPlan &plan() const { return *plan_; }
    const ScanImages &images() const { return *images_; }
    const std::string &kind() const { return kind_; }
    bool is_projections() const { return images_ == &plan_->scan.projections; }
    bool is_sinograms() const { return plan_->order == ScanOrder::Sinograms; }

    std::uint64_t count() const;
    // Frame `n`, if it is there.
    std::optional<StoredFrame> locate(std::uint64_t n) const;
    // What it needs is its own: they may grow meanwhile.
    FrameReader make_reader() const;

  private:
    unsigned choose_stack(const ImageReader &reader, const ArrayInfo &image) const;

    std::shared_ptr<const ScanPlan> plan_;
    std::string kind_;
    const ScanImages *images_ = nullptr; // of the plan
    ArrayInfo image_;                    // size of a part of an image, and its stored format
    unsigned stack_ = 1;
};

} // namespace tomo::io
