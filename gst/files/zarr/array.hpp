// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/image-reader.hpp>
#include <gst/tomo/support/json.hpp>

#include <array>
#include <string>
#include <vector>

// Arrays of Zarr, version 2: a folder with the description .zarray, and a file for each chunk. Source: "Zarr
// storage specification version 2", zarr-specs.readthedocs.io.
namespace tomo::io {

// Sizes along images, rows and columns.
using ZarrSizes = std::array<std::uint64_t, 3>;

// How images, rows and columns are cut into chunks. A chunk at an edge has its full size in the file.
struct ZarrGrid {
    GstTomoFormat format = GST_TOMO_FORMAT_UNKNOWN;
    ZarrSizes shape = {}, chunk = {};

    ArrayInfo image() const {
        return ArrayInfo(format, static_cast<unsigned>(shape[2]), static_cast<unsigned>(shape[1]));
    }
    std::size_t sample_size() const { return gst_tomo_format_get_size(format); }
    std::uint64_t plane_bytes() const { return chunk[1] * chunk[2] * sample_size(); } // of a chunk
    std::uint64_t chunk_bytes() const { return chunk[0] * plane_bytes(); }
    std::uint64_t chunks_along(unsigned axis) const { return (shape[axis] + chunk[axis] - 1) / chunk[axis]; }
};

// The file .zarray of an array of raw samples in this machine's byte order.
std::string zarr_description(const ZarrGrid &grid);

// An array of images, for reading.
class ZarrArray {
  public:
    // Throws if the folder holds no array, or one that can't be read here.
    explicit ZarrArray(const std::string &folder);
    // One that zarr_description() describes, before the folder tells so.
    ZarrArray(const std::string &folder, const ZarrGrid &grid);

    const ZarrGrid &grid() const { return grid_; }
    // An image of it.
    ArrayInfo image() const { return grid_.image(); }
    // Reads a part of an image. Samples of chunks that are not there have the fill value.
    void read(std::uint64_t image, const Part &part, void *destination, std::size_t row_stride) const;

  private:
    void find_type(const std::string &name);
    void find_fill(const Json *value);
    bool read_chunk(std::uint64_t image, std::uint64_t chunk_row, std::uint64_t chunk_column,
                    unsigned from_row, unsigned to_row, std::vector<unsigned char> &samples) const;
    [[noreturn]] void refuse(const std::string &why) const;

    const std::string folder_;
    ZarrGrid grid_;
    std::string outer_; // the first part of the names of all chunks, for axes before images
    char separator_ = '.';
    bool is_swapped_ = false;
    std::vector<unsigned char> fill_; // a sample
};

// The folder of the array that a name stands for: of that array, or of the first level of an image
// (OME-Zarr); `level` names another one in the folder. Throws where there is none.
std::string zarr_array_folder(const std::string &folder, const std::string &level);

} // namespace tomo::io
