// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-reader.hpp"
#include <gst/files/memory/images.hpp>
#ifdef HAVE_GSF
#include <gst/files/xradia/streams.hpp>
#endif

#include <cstring>
#include <vector>

namespace tomo::io {

unsigned RowRegion::rows_of(std::uint64_t page_height, const std::string &where) const {
    if (step == 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    where + ": the step between rows (y-step) is 0; it must be 1 or more");
    if (first >= page_height)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s: the first row asked for (y) is %u, but the page has %" G_GUINT64_FORMAT
                         " rows, counted from 0",
                         where.c_str(), first, page_height));
    const auto below = page_height - first;
    if (count > below)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s: rows %u to %" G_GUINT64_FORMAT
                         " were asked for (y and height), but the page has %" G_GUINT64_FORMAT
                         " rows; at most %" G_GUINT64_FORMAT " can be read from row %u on",
                         where.c_str(), first, std::uint64_t{first} + count - 1, page_height, below, first));
    return static_cast<unsigned>(((count ? count : below) - 1) / step + 1);
}

ArrayInfo Part::of(const ArrayInfo &page, const std::string &where) const {
    if (first_column >= page.width || columns > page.width - first_column)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s: columns from %u on, %u of them (0: all), were asked for, but there are %u",
                         where.c_str(), first_column, columns, page.width));
    return page.with_size(columns ? columns : page.width - first_column, rows.rows_of(page.height, where));
}

Part Part::within(const RowRegion &all) const {
    Part part = *this;
    part.rows.first = all.first + rows.first * all.step;
    part.rows.step = rows.step * all.step;
    if (rows.count > 0)
        part.rows.count = (rows.count - 1) * all.step + 1;
    else if (all.count > 0) // all that are left
        part.rows.count = all.count - rows.first * all.step;
    return part;
}

void ImageReader::read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride) {
    const auto whole = info(page);
    const auto wanted = part.of(whole, text("page %" G_GSIZE_FORMAT, page));
    const std::size_t sample = whole.sample_size(), row = whole.width * sample;
    if (wanted.size() == whole.size() && row_stride == row)
        return read(page, destination, whole.size());
    std::vector<char> all(whole.size());
    read(page, all.data(), all.size());
    const auto *from = all.data() + part.rows.first * row + part.first_column * sample;
    for (unsigned y = 0; y < wanted.height; y++, from += part.rows.step * row)
        std::memcpy(static_cast<char *>(destination) + y * row_stride, from, wanted.width * sample);
}

GstTomoFormat raw_format(unsigned bits) {
    switch (bits) {
    case 8:
        return GST_TOMO_FORMAT_UINT8;
    case 12:
    case 16:
        return GST_TOMO_FORMAT_UINT16;
    case 32:
        return GST_TOMO_FORMAT_FLOAT32;
    default:
        throw Error(GST_RESOURCE_ERROR_SETTINGS, text("raw-bitdepth is %u; raw files have 8, 12 or 16 "
                                                      "(unsigned integers) or 32 (float) bits; raw-format "
                                                      "names all other types",
                                                      bits));
    }
}

void check_destination(const ArrayInfo &info, std::size_t bytes, const std::string &where) {
    if (bytes != info.size())
        throw Error(GST_RESOURCE_ERROR_FAILED,
                    text("%s: %" G_GSIZE_FORMAT
                         " bytes were given for a page of %s, which takes %" G_GUINT64_FORMAT,
                         where.c_str(), bytes, info.describe().c_str(), info.size()));
}

std::unique_ptr<ImageReader> open_reader(const std::string &path, const ReadOptions &options) {
    if (names_memory(path))
        return open_memory_reader(path, options.rows);
    const auto location = split_location(path, options.type);
    switch (require_type(location.file, options.type)) {
    case FileType::Tiff:
#ifdef HAVE_TIFF
        return open_tiff_reader(location.file, options.rows);
#else
        throw not_built_in(FileType::Tiff, location.file);
#endif
    case FileType::Hdf5:
#ifdef HAVE_HDF5
        return open_hdf5_reader(location, options.rows, options.follow);
#else
        throw not_built_in(FileType::Hdf5, location.file);
#endif
    case FileType::Jpeg:
#ifdef HAVE_JPEG
        return open_jpeg_reader(location.file, options.rows);
#else
        throw not_built_in(FileType::Jpeg, location.file);
#endif
    case FileType::Png:
#ifdef HAVE_PNG
        return open_png_reader(location.file, options.rows);
#else
        throw not_built_in(FileType::Png, location.file);
#endif
    case FileType::Edf:
        return open_edf_reader(location.file, options.rows);
    case FileType::Pnm:
        return open_pnm_reader(location.file, options.rows);
    case FileType::Npy:
        return open_npy_reader(location.file, options.rows);
    case FileType::Zarr:
        return open_zarr_reader(location, options.rows);
    case FileType::Xradia:
#ifdef HAVE_GSF
        return open_xradia_reader(location, options.rows);
#else
        throw not_built_in(FileType::Xradia, location.file);
#endif
    case FileType::Raw:
    case FileType::Automatic: // require_type() gave a type
        break;
    }
    return open_raw_reader(location.file, options.raw, options.rows);
}

} // namespace tomo::io
