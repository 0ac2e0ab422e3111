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

// The names of the files that a stream is written to, one after the other: a single one, or numbered ones,
// whose numbers nobody else writes meanwhile.
class SeriesNames {
  public:
    // Throws where the name can't work with the options.
    SeriesNames(const Location &location, FileType type, const WriteOptions &options);

    bool is_series() const { return pattern_.has_number(); }

    // Takes the numbers that a stream of such images will need, so that nobody writes some of them before it
    // comes to them. Once; one that appends takes what is free.
    void claim(const ArrayInfo &page);
    // The name of the next file.
    Location next(const ArrayInfo &page);
    // Of one that comes so many files behind that.
    Location ahead(std::uint64_t files) const;

    // Warns of files behind the last one that were there before this run.
    void tell_of_older_files(const std::function<void(const std::string &)> &warn) const;
    // Others may have the numbers from now on.
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
    std::optional<SeriesClaim> numbers_;   // those of this run
    std::uint64_t claimed_ = 0, used_ = 0; // files whose numbers were taken beforehand, and begun ones
};

// The folder of a location, with the slash behind it; empty where none is named.
std::string folder_of(const Location &location);

} // namespace tomo::io
