// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One output of tomoscansrc.
#pragma once

#include "image-reader.hpp"
#include "input-claim.hpp"
#include "read-ahead.hpp"
#include "scan-layout.hpp"

#include <gst/tomo/source.hpp>

#include <chrono>

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
    InputClaim claim; // on its files

    // Looks for the scan.
    void find();
};

class ScanStream final : public Source {
  public:
    static constexpr Info info{"scan-stream", "Source/File", "One kind of images of tomoscansrc",
                               formats::all, formats::all};

    void set_plan(std::shared_ptr<const ScanPlan> plan, const std::string &kind);

    void start() override;
    void stop() override;
    std::optional<ArrayInfo> frame_info(std::uint64_t n) override;
    Array frame(std::uint64_t n, const ArrayInfo &info) override;
    std::optional<std::uint64_t> frame_count() override;
    bool may_be_empty() const override { return images_ == &plan_->scan.flats_after; }
    EventRef scan_event() override;
    void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) override;

  private:
    bool is_sinograms() const { return plan_->order == ScanOrder::Sinograms; }
    bool follows() const { return plan_->request.follow; }
    bool is_projections() const { return images_ == &plan_->scan.projections; }
    std::optional<ReadAhead::Frame> locate(std::uint64_t n) const;
    ReadAhead::Reader make_reader() const;
    void require_images() const;
    unsigned choose_stack(const ImageReader &reader, const ArrayInfo &image) const;
    void choose_images();
    void open();
    void wait_for(std::uint64_t n);
    void look_again();
    void time_out();
    std::size_t number_stored();
    std::optional<bool> is_being_written() const;

    std::shared_ptr<const ScanPlan> plan_;
    const ScanImages *images_ = nullptr; // of the plan
    std::string kind_;
    ArrayInfo image_; // size of a part of an image, and its stored format
    unsigned stack_ = 1;
    std::unique_ptr<ReadAhead> ahead_;
    // Of a scan that is followed.
    bool complete_ = true;
    std::size_t available_ = 0;    // images that are there
    std::size_t announced_ = 0;    // frames that image_key told of beforehand
    std::optional<Error> problem_; // that kept it from being read
    std::unique_ptr<ImageReader> looker_;
    std::string looked_at_;
    std::uint64_t size_ = 0; // of the last file
    std::chrono::steady_clock::time_point size_since_;
};

} // namespace tomo::io
