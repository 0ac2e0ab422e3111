// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "parts-levels.hpp"
#include "levels.hpp"
#include "objects.hpp"
#include "result.hpp"
#include "types.hpp"
#include <gst/files/halving.hpp>
#include <gst/files/share-work.hpp>

#include <utility>

namespace tomo::io {

Hdf5PartsLevels::Hdf5PartsLevels(const ArrayInfo &page, const Location &file, const WriteOptions &options,
                                 const std::function<StreamLength()> &length, std::uint64_t there,
                                 const OpenPart &open_part)
    : pyramid_(page) {
    const auto level_length = [length] {
        auto half = length ? length() : StreamLength{};
        half.came = half_of(half.came);
        if (half.announced)
            half.announced = half_of(*half.announced);
        return half;
    };
    const auto &image = pyramid_.image(1);
    const auto chunks = level_chunk_sizes(image, level_length().announced);
    auto how = options;
    how.length = level_length;
    how.chunks = text("%u,%u,%u", chunks.images, chunks.rows, chunks.columns);
    how.pyramid = WriteOptions::Pyramid::Yes;
    how.threads = threads_for_writing(); // of which few are busy: they read all samples and write an eighth
    how.most_resumed = there / 2;        // an image at the end may be made of one instead of two
    target_ = open_part(file, how);
    images_there_ = 2 * target_->images_there(image);
}

void Hdf5PartsLevels::add(const std::optional<ImageToWrite> &image) {
    const bool is_second = images_++ % 2 == 1;
    if (!is_second) {
        first_ = image;
        return;
    }
    if (first_ && image)
        add_means_of({*std::exchange(first_, std::nullopt), *image});
    else
        target_->skip(pyramid_.image(1), 1);
    first_.reset();
}

void Hdf5PartsLevels::add_means_of(std::vector<ImageToWrite> images) {
    const auto page = pyramid_.image(0);
    target_->write(ImageToWrite::made_of(
        std::move(images), pyramid_.image(1), [page](const std::vector<const void *> &from, void *to) {
            halve_images(page.format, from[0], from.size() > 1 ? from[1] : nullptr, page.height, page.width,
                         to);
        }));
}

void Hdf5PartsLevels::finish() {
    if (first_)
        add_means_of({*std::exchange(first_, std::nullopt)});
    target_->finish();
}

void Hdf5PartsLevels::join(Hdf5Target &target, const ArrayInfo &page, std::uint64_t images,
                           const std::string &source, const std::string &dataset,
                           const std::optional<ValueRange> &grey) {
    const StreamPyramid pyramid(page);
    for (unsigned level = 1; level < pyramid.levels(); level++) {
        images = half_of(images);
        const auto &image = pyramid.image(level);
        const auto &volume = target.location().dataset;
        const auto name = hdf5_level_name(volume, level);
        const auto told = "cannot create '" + target.location().file + ":" + name + "'";
        const auto check = [&](auto result) { return hdf5_check(result, GST_RESOURCE_ERROR_WRITE, told); };
        target.reserve(0);
        const hsize_t extent[] = {images, image.height, image.width};
        const Hdf5Handle space(check(H5Screate_simple(3, extent, nullptr)), H5Sclose);
        const Hdf5Handle creation(check(H5Pcreate(H5P_DATASET_CREATE)), H5Pclose);
        check(H5Pset_virtual(creation.get(), space.get(), source.c_str(),
                             hdf5_level_name(dataset, level - 1).c_str(), space.get()));
        Hdf5Handle made(check(H5Dcreate2(target.file(), name.c_str(), hdf5_type_of(image.format).get(),
                                         space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT)),
                        H5Dclose);
        hdf5_sign_level(made.get(), 1u << level, volume);
        if (grey)
            hdf5_set_range(made.get(), *grey);
        if (!made.close())
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, told);
    }
}

} // namespace tomo::io

#endif // HAVE_HDF5
