// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The images of a scan as the frames of a stream: one by one, or as stacks of sinograms.
#pragma once

#include "layout.hpp"
#include "row-store.hpp"
#include <gst/files/image-reader.hpp>
#include <gst/files/input-claim.hpp>
#include <gst/files/stored-frame.hpp>

#include <optional>

namespace tomo::io {

enum class ScanOrder { Projections, Sinograms };
// What the flats come as, if they were taken several times: each by itself, or the means of the sets.
enum class FlatSets { Frames, Means };

// The part of a scan to read, and its files.
struct ScanPlan {
    ScanRequest request;
    unsigned start = 0, step = 1, number = 0; // of the projections
    Part part;
    ScanOrder order = ScanOrder::Projections;
    FlatSets flat_sets = FlatSets::Frames;
    unsigned stack = 0;            // most sinograms per array, 0: chosen by the size of chunks
    std::uint64_t store_bytes = 0; // most memory for rows of files that are read as a whole for each row
    double timeout = 0.0;          // seconds to wait for another frame of a scan that is being written
    ScanLayout scan;
    std::size_t total = 0;                  // projections of the whole scan, ...
    std::vector<std::size_t> numbers_in_it; // ... and the numbers of the chosen ones among them
    InputClaim claim;                       // on the files of the scan

    // Whether there are several sets of flats, whose means are taken.
    bool means_of_flat_sets() const { return flat_sets == FlatSets::Means && scan.flats.sets() > 1; }
    // Finds the scan and fills the members below `timeout`.
    void find();
};

// Frames of one kind: "projections", "darks", "flats" or "flats-after".
class ScanFrames {
  public:
    ScanFrames() = default;
    ScanFrames(std::shared_ptr<const ScanPlan> plan, const std::string &kind);

    // Takes a plan that has found more images behind the earlier ones.
    void grow(std::shared_ptr<const ScanPlan> plan);
    // Finds the size of the images. Call it before the functions below, once there is at least one image.
    void measure();

    const ScanPlan &plan() const { return *plan_; }
    const ScanImages &images() const { return *images_; }
    const std::string &kind() const { return kind_; }
    bool is_projections() const { return images_ == &plan_->scan.projections; }
    bool is_sinograms() const { return plan_->order == ScanOrder::Sinograms; }

    std::uint64_t count() const;
    // Frame `n`, if it is there.
    std::optional<StoredFrame> locate(std::uint64_t n) const;
    // The reader holds all its data, so the frames may grow meanwhile.
    FrameReader make_reader() const;

    // Whether frames are the means of the sets, as planes, or as the rows of sinograms.
    bool are_means_of_sets() const { return images_ == &plan_->scan.flats && plan_->means_of_flat_sets(); }

  private:
    unsigned sets() const { return are_means_of_sets() ? images_->sets() : 1; }
    void find_groups(ImageReader &reader);
    unsigned choose_stack(ImageReader &reader, const ArrayInfo &image) const;

    std::shared_ptr<const ScanPlan> plan_;
    std::string kind_;
    const ScanImages *images_ = nullptr; // of the plan
    ArrayInfo image_;                    // size of a part of an image, and its stored format
    unsigned stack_ = 1;
    // Of sinograms: the first image of each group whose samples are decompressed together, and the number of
    // images.
    std::vector<std::size_t> groups_;
    std::uint64_t chunk_rows_ = 0; // rows of such a group that are decompressed together, 0: of single images
    std::shared_ptr<RowStore> store_; // of sinograms, where reading them from files by stacks would be slow
};

} // namespace tomo::io
