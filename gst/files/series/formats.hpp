// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/file-writer.hpp>

#include <memory>

// The formats for writing, and their particular rules.
namespace tomo::io {

// Throws if a format can't be written, or not with these options.
void check_format(const Location &location, FileType type, const WriteOptions &options);

// Whether writing to `location` would replace something.
bool target_exists(FileType type, const Location &location);
// Whether an earlier run left something under the temporary name.
bool is_partly_there(FileType type, const Location &location);

// Makes the files of a stream.
class FileMaker {
  public:
    FileMaker(FileType type, const WriteOptions &options, bool is_series);

    FileType type() const { return type_; }
    const WriteOptions &options() const { return options_; }
    bool is_series() const { return is_series_; }

    std::unique_ptr<FileWriter> make(const Location &location, Existing existing,
                                     const ArrayInfo &page) const;
    // For formats in which the whole file belongs to its writer.
    std::unique_ptr<SingleFile> make_single(const Location &location, Existing existing,
                                            const ArrayInfo &page) const;

    // Sets the range of values for the integers of all images, before the first one.
    void set_range(const ValueRange &range);
    // Marks each file of a series: its images are made of a part of the stream.
    void mark_as_incomplete();

  private:
    std::optional<std::uint64_t> expected_bytes(const ArrayInfo &page) const;

    const FileType type_;
    WriteOptions options_;
    const bool is_series_;
};

} // namespace tomo::io
