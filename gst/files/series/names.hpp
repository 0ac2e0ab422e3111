// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/file-format.hpp>
#include <gst/files/image-writer.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/files/output-names.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tomo::io {

// The names of the files of a stream, one after the other: a single name, or numbered names, whose numbers
// are claimed against other processes.
class SeriesNames {
  public:
    // Throws if name and options do not go together.
    SeriesNames(const Location &location, FileType type, const WriteOptions &options);

    bool is_series() const { return pattern_.has_number(); }

    // Claims the numbers for a stream of such images, so that no other process writes some of them first.
    // Called once, before next(), which claims free numbers with append.
    void claim(const ArrayInfo &page);
    // The name of the next file.
    Location next();
    // The name of the file that comes `files` files behind next().
    Location ahead(std::uint64_t files) const;

    // Warns of files behind the last one that were there before this run.
    void tell_of_older_files(const std::function<void(const std::string &)> &warn) const;
    // Releases the numbers for other processes.
    void let_go() { numbers_.reset(); }

  private:
    Error is_another_ones(const std::string &why) const;
    std::uint64_t files_for(std::uint64_t images, std::uint64_t bytes) const;

    const std::string text_;
    const std::string folder_;         // with the slash
    const NumberPattern pattern_;      // of file and dataset
    const NumberPattern file_pattern_; // where datasets have the number, the file has none
    const FileType type_;
    const std::uint64_t step_, bytes_per_file_;
    const bool append_;
    const std::function<StreamLength()> length_;
    std::uint64_t number_;
    std::optional<SeriesClaim> numbers_;   // the claim of this run
    std::uint64_t claimed_ = 0, used_ = 0; // files whose numbers were taken beforehand, and begun ones
};

// The folder of a location, with the slash behind it; empty if the location names none.
std::string folder_of(const Location &location);

} // namespace tomo::io
