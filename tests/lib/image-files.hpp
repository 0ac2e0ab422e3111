// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Images in memory, to be compared with images in files. What the tests of readers and writers share.
#pragma once

#include "support.hpp"

#include <gst/files/image-reader.hpp>
#include <gst/files/open-writer.hpp>

#include <cstring>
#include <filesystem>
#include <vector>
#ifdef HAVE_TIFF
#include <tiffio.h>
#endif
#ifdef HAVE_HDF5
#include <hdf5.h>
#endif

namespace tomotest {

// A folder with whatever is made in it.
struct Scratch : Folder {
    ~Scratch() { std::filesystem::remove_all(path()); }
    std::string operator/(const std::string &name) const { return path() + "/" + name; }
    bool has(const std::string &name) const { return std::filesystem::exists(*this / name); }
};

struct Image {
    tomo::ArrayInfo info;
    std::vector<unsigned char> data;

    bool operator==(const Image &other) const {
        return info.format == other.info.format && info.width == other.info.width &&
               info.height == other.info.height && info.depth == other.info.depth && data == other.data;
    }
};
using Images = std::vector<Image>;

constexpr GstTomoFormat sample_formats[] = {
    GST_TOMO_FORMAT_UINT8,   GST_TOMO_FORMAT_UINT16,  GST_TOMO_FORMAT_UINT32,
    GST_TOMO_FORMAT_INT16,   GST_TOMO_FORMAT_INT32,   GST_TOMO_FORMAT_FLOAT16,
    GST_TOMO_FORMAT_FLOAT32, GST_TOMO_FORMAT_FLOAT64, GST_TOMO_FORMAT_COMPLEX64};

// Any bits: floats of all kinds, NaN among them.
inline Image random_image(GstTomoFormat format, unsigned width, unsigned height, unsigned depth = 1) {
    Image image{tomo::ArrayInfo(format, width, height, depth), {}};
    image.data.resize(image.info.size());
    for (auto &byte : image.data)
        byte = static_cast<unsigned char>(randomness()());
    return image;
}

inline Images random_images(std::size_t count, GstTomoFormat format, unsigned width, unsigned height) {
    Images images;
    while (images.size() < count)
        images.push_back(random_image(format, width, height));
    return images;
}

template <class Sample>
Image image_of(GstTomoFormat format, unsigned width, unsigned height, const std::vector<Sample> &samples) {
    Image image{tomo::ArrayInfo(format, width, height), {}};
    image.data.resize(samples.size() * sizeof(Sample));
    std::memcpy(image.data.data(), samples.data(), image.data.size());
    return image;
}

// The rows that a region leaves, in each plane.
inline Image rows_of(const Image &whole, const tomo::io::RowRegion &rows) {
    const unsigned count = ((rows.count ? rows.count : whole.info.height - rows.first) - 1) / rows.step + 1;
    Image part{whole.info.with_size(whole.info.width, count), {}};
    const std::size_t row_bytes = whole.info.width * whole.info.sample_size();
    for (unsigned plane = 0; plane < whole.info.depth; plane++)
        for (unsigned i = 0; i < count; i++) {
            const auto from =
                whole.data.begin() +
                (std::size_t{plane} * whole.info.height + rows.first + i * rows.step) * row_bytes;
            part.data.insert(part.data.end(), from, from + row_bytes);
        }
    return part;
}

inline Images rows_of(const Images &whole, const tomo::io::RowRegion &rows) {
    Images parts;
    for (const auto &image : whole)
        parts.push_back(rows_of(image, rows));
    return parts;
}

inline tomo::io::RowRegion random_rows(unsigned height) {
    tomo::io::RowRegion rows;
    rows.first = static_cast<unsigned>(random_between(0, height - 1));
    rows.count = static_cast<unsigned>(random_between(0, height - rows.first));
    rows.step = static_cast<unsigned>(random_between(1, 4));
    return rows;
}

inline Image read_page(tomo::io::ImageReader &reader, std::size_t page) {
    Image image{reader.info(page), {}};
    image.data.resize(image.info.size());
    reader.read(page, image.data.data(), image.data.size());
    return image;
}

inline Images read_images(const std::string &path, const tomo::io::ReadOptions &options = {}) {
    const auto reader = tomo::io::open_reader(path, options);
    Images images;
    while (reader->has_page(images.size()))
        images.push_back(read_page(*reader, images.size()));
    return images;
}

inline void write_all(tomo::io::ImageWriter &writer, const Images &images) {
    for (const auto &image : images)
        writer.write(image.info, image.data.data());
}

inline void write_images(const std::string &path, const Images &images,
                         const tomo::io::WriteOptions &options = {}) {
    const auto writer = tomo::io::open_writer(path, options);
    write_all(*writer, images);
    writer->finish();
}

inline bool contains(const std::string &text, const std::string &words) {
    return text.find(words) != std::string::npos;
}

} // namespace tomotest
