// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-descriptor.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tomo::io {

// Throws a clear error if `path` is missing, unreadable or not a regular file (a pipe could block for ever).
void require_readable_file(const std::string &path);

// Whether an HDF5 file has the mark of a writer that is alive or was killed; only files for several readers
// (SWMR) have one. Empty for other files, and if there is no file.
std::optional<bool> is_being_written(const std::string &path);

// A regular file open for reading at any place.
class InputFile {
  public:
    explicit InputFile(const std::string &path);

    const std::string &path() const { return path_; }
    std::uint64_t size() const { return size_; }
    void refresh_size(); // for a file that grows
    int descriptor() const { return descriptor_.get(); }

    // Reads all of these bytes or throws. `what` names them in the error.
    void read_at(std::uint64_t offset, void *destination, std::uint64_t bytes, const std::string &what) const;
    // The same for rows that follow each other in the file and stand `stride` bytes apart in memory.
    void read_rows_at(std::uint64_t offset, char *destination, std::size_t row_bytes, std::uint64_t rows,
                      std::size_t stride, const std::string &what) const;

  private:
    // Throws if the file has fewer than `bytes` at `offset`, of which `got` were read.
    void check(std::uint64_t offset, const std::optional<std::uint64_t> &got, std::uint64_t bytes,
               const std::string &what) const;

    std::string path_;
    FileDescriptor descriptor_;
    std::uint64_t size_ = 0;
};

} // namespace tomo::io
