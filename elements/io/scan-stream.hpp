// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One output of tomoscansrc.
#pragma once

#include "image-reader.hpp"
#include "read-ahead.hpp"
#include "scan-layout.hpp"

#include <gst/tomo/source.hpp>

namespace tomo::io {

enum class ScanOrder { Projections, Sinograms };

// What is to be read of a scan.
struct ScanPlan {
    ScanLayout scan;
    Part part;
    ScanOrder order = ScanOrder::Projections;
    unsigned stack = 0; // most sinograms per array, 0 for a good number

    void choose_projections(unsigned first, unsigned step, unsigned number);
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
    bool is_projections() const { return images_ == &plan_->scan.projections; }
    std::optional<ReadAhead::Frame> locate(std::uint64_t n) const;
    ReadAhead::Reader make_reader() const;
    void require_images() const;
    unsigned choose_stack(const ImageReader &reader) const;

    std::shared_ptr<const ScanPlan> plan_;
    const ScanImages *images_ = nullptr; // of the plan
    std::string kind_;
    ArrayInfo image_; // size of a part of an image, and its stored format
    unsigned stack_ = 1;
    std::unique_ptr<ReadAhead> ahead_;
};

} // namespace tomo::io
