// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One output of tomoscansrc.
#pragma once

#include "read-ahead.hpp"
#include <gst/files/scan/frames.hpp>

#include <gst/tomo/bases/source.hpp>

#include <chrono>

namespace tomo::io {

class ScanStream final : public Source {
  public:
    static constexpr Info info{
        .task = "scan-stream",
        .klass = "Source/File",
        .blurb = "One kind of images of tomoscansrc",
        .in = formats::all,
        .out = formats::all,
    };

    void set_plan(std::shared_ptr<const ScanPlan> plan, const std::string &kind);

    void start() override;
    void stop() override;
    std::optional<ArrayInfo> frame_info(std::uint64_t n) override;
    Array frame(std::uint64_t n, const ArrayInfo &info) override;
    std::optional<std::uint64_t> frame_count() override;
    bool may_be_empty() const override { return frames_.kind() == "flats-after"; }
    EventRef scan_event() override;
    void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) override;

  private:
    bool follows() const { return frames_.plan().request.follow; }
    void require_images() const;
    void open();
    void wait_for(std::uint64_t n);
    void look_again();
    void time_out();
    std::size_t number_stored();
    std::optional<bool> is_being_written() const;

    ScanFrames frames_;
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
