// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-format.hpp"

#include <gst/tomo/device/array.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tomo::io {

// The rows to read of every page: `first`, `first + step`, ... within `count` rows.
struct RowRegion {
    unsigned first = 0;
    unsigned count = 0; // 0: to the end
    unsigned step = 1;

    // Number of rows of a page in this region. Throws if the page does not have them. `where` names the page.
    unsigned rows_of(std::uint64_t page_height, const std::string &where) const;

    // Upper edge of the first row, in the coordinates of the page. Each row also stands for the skipped rows,
    // half of them before it and half behind.
    double edge() const { return first + 0.5 * (1.0 - step); }
};

// A part of a page. Columns are counted from 0; 0 of them: to the end.
struct Part {
    RowRegion rows;
    unsigned first_column = 0, columns = 0;

    // This part of those rows of a page.
    Part within(const RowRegion &all) const;
    // Shape of this part of a page. Throws if the page does not have it.
    ArrayInfo of(const ArrayInfo &page, const std::string &where) const;
};

// How two samples of 12 bits share three bytes. The first sample has the nibbles 321 (the highest first), the
// second CBA.
enum class Packing12 {
    LowFirst,  // 21 A3 CB: GenICam's Mono12p
    GigE,      // 32 A1 CB: GigE Vision's Mono12Packed
    HighFirst, // 32 1C BA: TIFF, and cameras that send the highest bit first
};

// The layout of a raw file, which has no description of its own.
struct RawLayout {
    unsigned width = 0;
    unsigned height = 0;
    GstTomoFormat format = GST_TOMO_FORMAT_UNKNOWN;
    std::uint64_t pre_offset = 0;  // bytes skipped before each image
    std::uint64_t post_offset = 0; // bytes skipped after each image
    bool swapped = false;          // not the byte order of the host
    bool packed12 = false;         // samples of 12 bits without gaps
    Packing12 packing = Packing12::LowFirst;
    std::uint64_t header = 0; // bytes before the first image, without pre_offset

    bool is_complete() const { return width && height && format != GST_TOMO_FORMAT_UNKNOWN; }
};

// uint8, uint16 or float32 for 8, 16 or 32 bits, as in UFO, and uint16 for 12. Throws for any other number.
GstTomoFormat raw_format(unsigned bits);

struct ReadOptions {
    FileType type = FileType::Automatic;
    RowRegion rows;
    RawLayout raw;
    bool follow = false; // missing data may still come
};

// Pages of one file. One thread at a time may use a reader; several readers are independent of each other.
class ImageReader {
  public:
    virtual ~ImageReader() = default;

    // Whether the page exists. Reads no more of the file than necessary. Throws if the file is damaged before
    // that page.
    virtual bool has_page(std::size_t page) = 0;

    // Number of pages. May have to walk through the whole file.
    virtual std::size_t pages() = 0;

    // The stored type (or the next wider one, see the readers) and the size after the row region. Channels
    // are planes: an RGB page has depth 3.
    virtual ArrayInfo info(std::size_t page) = 0;

    // Fills `destination` with the rows of the region, packed, in the byte order of the host. `bytes` must be
    // the size of info(page). Reads only these rows if the format allows that.
    virtual void read(std::size_t page, void *destination, std::size_t bytes) = 0;

    // Reads a part of a page with one plane, with `row_stride` bytes from one row to the next.
    virtual void read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride);

    // For a file that is being written: whether the whole page is stored.
    virtual bool is_stored(std::size_t page) { return has_page(page); }

    // Whether a file with pages is marked as being written; empty if files have no such mark.
    virtual std::optional<bool> is_being_written() { return {}; }

    // Whether the file stores the channels plane by plane.
    virtual bool has_separate_planes(std::size_t /*page*/) { return false; }

    // Number of rows, and of pages, that are decoded together.
    virtual std::uint64_t rows_per_chunk() { return 1; }
    virtual std::uint64_t pages_per_chunk() { return 1; }
    // Number of columns that are stored together; 0: all of a row.
    virtual std::uint64_t columns_per_chunk() { return 0; }
    // Whether pages lie in so many files that these are opened again and again.
    virtual bool opens_many_files() { return false; }
};

// Opens one file, "file.h5:/dataset" for HDF5, "folder.zarr", or images in memory (memory/images.hpp). Throws
// Error; never blocks, because it refuses files that are not regular.
std::unique_ptr<ImageReader> open_reader(const std::string &path, const ReadOptions &options = {});

// The readers behind open_reader().
std::unique_ptr<ImageReader> open_tiff_reader(const std::string &file, const RowRegion &rows);
std::unique_ptr<ImageReader> open_hdf5_reader(const Location &location, const RowRegion &rows, bool follow);
std::unique_ptr<ImageReader> open_edf_reader(const std::string &file, const RowRegion &rows);
std::unique_ptr<ImageReader> open_jpeg_reader(const std::string &file, const RowRegion &rows);
std::unique_ptr<ImageReader> open_png_reader(const std::string &file, const RowRegion &rows);
std::unique_ptr<ImageReader> open_pnm_reader(const std::string &file, const RowRegion &rows);
std::unique_ptr<ImageReader> open_memory_reader(const std::string &location, const RowRegion &rows);
std::unique_ptr<ImageReader> open_npy_reader(const std::string &file, const RowRegion &rows);
// `location.dataset` is the path of an array in the folder; without one, the first level of an image.
std::unique_ptr<ImageReader> open_zarr_reader(const Location &location, const RowRegion &rows);
std::unique_ptr<ImageReader> open_raw_reader(const std::string &file, const RawLayout &layout,
                                             const RowRegion &rows);

// For readers: throws if `bytes` is not the size of info().
void check_destination(const ArrayInfo &info, std::size_t bytes, const std::string &where);

} // namespace tomo::io
