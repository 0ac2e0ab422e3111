// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "formats.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

namespace tomo::io {

static bool is_built_in(FileType type) {
#ifndef HAVE_TIFF
    if (type == FileType::Tiff)
        return false;
#endif
#ifndef HAVE_HDF5
    if (type == FileType::Hdf5)
        return false;
#endif
#ifndef HAVE_JPEG
    if (type == FileType::Jpeg)
        return false;
#endif
#ifndef HAVE_PNG
    if (type == FileType::Png)
        return false;
#endif
    return type != FileType::Automatic;
}

void check_format(const Location &location, FileType type, const WriteOptions &options) {
    if (!is_built_in(type))
        throw not_built_in(type, location.file);
    if (type == FileType::Pnm)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s': PGM and PPM files can be read only; write PNG or TIFF", location.file.c_str()));
    if (type == FileType::Jpeg && options.bits == 16)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s': bits is 16, but JPEG has 8; set bits=8, or write PNG", location.file.c_str()));
    if (type == FileType::Hdf5 && location.dataset.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': no dataset is named; write it behind a colon as in %s:/entry/data/data",
                         location.file.c_str(), location.file.c_str()));
    if (type == FileType::Hdf5 && has_range_per_page(options) && (options.append || options.resume))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': the ranges of images that are there would be lost; set minimum and maximum "
                         "instead of range-per-image, or write TIFF",
                         location.text().c_str()));
    if (!options.chunks.empty() && type != FileType::Zarr && type != FileType::Hdf5)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': chunks is %s, but only HDF5 and OME-Zarr have such chunks",
                         location.text().c_str(), options.chunks.c_str()));
    if (!options.chunks.empty() && type == FileType::Hdf5 && options.parts > 1)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': chunks is %s, and images that follow each other lie in %u files; leave out "
                         "one of chunks and parts (levels of the pyramid have chunks for all axes anyway)",
                         location.text().c_str(), options.chunks.c_str(), options.parts));
    if (options.pyramid == WriteOptions::Pyramid::Yes && type != FileType::Zarr &&
        (type != FileType::Hdf5 || options.append || options.volume > 0))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s': a pyramid stands beside one volume in HDF5, or in an image of OME-Zarr; leave out "
                 "pyramid, or append and volumes",
                 location.text().c_str()));
    if (options.rgb && type != FileType::Tiff && type != FileType::Png && type != FileType::Jpeg)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("rgb is set, but %s files have no colours; write TIFF, PNG "
                         "or JPEG",
                         type_name(type)));
}

bool target_exists([[maybe_unused]] FileType type, const Location &location) {
#ifdef HAVE_HDF5
    if (type == FileType::Hdf5)
        return hdf5_target_exists(location);
#endif
    std::error_code ignored;
    return std::filesystem::exists(location.file, ignored);
}

bool is_partly_there(FileType type, const Location &location) {
    return target_exists(type, {partial_name(location.file), location.dataset}) ||
           (type == FileType::Hdf5 && target_exists(type, {location.file, partial_name(location.dataset)}));
}

FileMaker::FileMaker(FileType type, const WriteOptions &options, bool is_series)
    : type_(type), options_(options), is_series_(is_series) {
    if (is_series) // no file holds the whole stream
        options_.length = nullptr;
}

void FileMaker::set_range(const ValueRange &range) {
    options_.minimum = range.minimum;
    options_.maximum = range.maximum;
}

void FileMaker::mark_as_incomplete() {
    options_.length = [] {
        StreamLength length;
        length.is_interrupted = true;
        return length;
    };
}

std::unique_ptr<FileWriter> FileMaker::make(const Location &location, Existing existing,
                                            const ArrayInfo &page) const {
#ifdef HAVE_HDF5
    if (type_ == FileType::Hdf5)
        return create_hdf5_file(location, existing, options_);
#endif
    return make_single(location, existing, page);
}

// Of all pages of a file, with room for their directories; none where nobody knows.
std::optional<std::uint64_t> FileMaker::expected_bytes(const ArrayInfo &page) const {
    constexpr std::uint64_t directory = 4096;
    if (is_series_)
        return std::max(options_.bytes_per_file, page.size()) + directory;
    const auto length = options_.length ? options_.length() : StreamLength{};
    std::uint64_t bytes = 0;
    if (!length.announced || !multiply({*length.announced, page.size() + directory}, bytes))
        return {};
    return bytes;
}

std::unique_ptr<SingleFile> FileMaker::make_single(const Location &location, Existing existing,
                                                   [[maybe_unused]] const ArrayInfo &page) const {
    switch (type_) {
#ifdef HAVE_TIFF
    case FileType::Tiff: {
        // Some readers of classic files count bytes with a sign.
        constexpr std::uint64_t limit = std::numeric_limits<std::int32_t>::max();
        const auto expected = expected_bytes(page);
        return create_tiff_file(location.file, existing, options_, !expected || *expected > limit);
    }
#endif
#ifdef HAVE_JPEG
    case FileType::Jpeg:
        return create_jpeg_file(location.file, existing, options_);
#endif
#ifdef HAVE_PNG
    case FileType::Png:
        return create_png_file(location.file, existing, options_);
#endif
    case FileType::Edf:
        return create_edf_file(location.file, existing, options_);
    case FileType::Npy:
        return create_npy_file(location.file, existing, options_);
    case FileType::Raw:
        return create_raw_file(location.file, existing, options_);
    default:
        throw not_built_in(type_, location.file);
    }
}

} // namespace tomo::io
