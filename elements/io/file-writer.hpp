// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-format.hpp"

#include <gst/tomo/array.hpp>

#include <memory>
#include <string>

// Inside of the image writers.
namespace tomo::io {

// Whole images left after a stop.
struct Remains {
    std::uint64_t images = 0;
    std::string place;
    std::uint64_t lost = 0; // whole images that could not be kept
};

// Writes the pages of a single file or dataset.
class FileWriter {
  public:
    virtual ~FileWriter() = default;

    // Whether the format allows this page in the file, besides what it holds.
    virtual bool has_room(const ArrayInfo &) const { return true; }

    virtual void write(const ArrayInfo &plane, const void *data) = 0;
    virtual void finish() = 0;

    // Called once, by whoever owns the writer and did not finish it.
    virtual Remains abandon() = 0;
};

std::unique_ptr<FileWriter> create_tiff_file(const std::string &file, bool append, bool big_tiff);
std::unique_ptr<FileWriter> create_hdf5_file(const Location &location, bool append);
std::unique_ptr<FileWriter> create_raw_file(const std::string &file, bool append);
std::unique_ptr<FileWriter> write_raw_to_standard_output();

// Whether there is something that writing to `location` would replace.
bool hdf5_target_exists(const Location &location);

} // namespace tomo::io
