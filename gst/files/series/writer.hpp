// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "files.hpp"
#include "formats.hpp"
#include "names.hpp"
#include <gst/files/ordered-work.hpp>

namespace tomo::io {

// Distributes the pages of a stream over files, by the name and the options.
class SeriesWriter final : public ImageTarget {
  public:
    // Throws if name, format and options do not go together, before it creates anything.
    SeriesWriter(const Location &location, FileType type, const WriteOptions &options);
    ~SeriesWriter() override { abandon(); }

    void write(const ImageToWrite &image) override;
    void settle() override;
    std::uint64_t images_there(const ArrayInfo &info) override;
    void skip(const ArrayInfo &info, std::uint64_t images) override;
    void finish() override;
    std::string abandon() noexcept override;

    void begin(const ArrayInfo &page) override;
    void set_range(const ValueRange &range) override { maker_.set_range(range); }

  private:
    const WriteOptions &options() const { return maker_.options(); }
    void plan(const ImageToWrite &page, bool is_there);

    NameClaim claim_;
    SeriesNames names_;
    FileMaker maker_;
    // Whether each image has a file of its own, and several files are written at a time. Not for HDF5, whose
    // library admits one thread at a time.
    const bool one_page_each_;
    const std::function<StreamLength()> length_;
    bool has_begun_ = false;
    std::unique_ptr<SeriesFiles> files_;
    std::unique_ptr<OrderedWork> work_;
};

// To one file or a series, or to the parts of a dataset. Throws if name, format and options do not go together.
std::unique_ptr<ImageTarget> open_target(const Location &location, FileType type, const WriteOptions &options);

} // namespace tomo::io
