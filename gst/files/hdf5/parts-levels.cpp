// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "parts-levels.hpp"
#include "levels.hpp"
#include "objects.hpp"
#include "result.hpp"
#include "types.hpp"
#include <gst/files/chunk-sizes.hpp>
#include <gst/files/halving.hpp>
#include <gst/files/share-work.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace tomo::io {

namespace {

// Level 1 has an eighth of the samples, so it needs fewer files than level 0. Each holds a block in memory.
constexpr unsigned most_files_of_level_1 = 4;

unsigned files_of_level_1(unsigned parts) { return std::min(parts, most_files_of_level_1); }

constexpr unsigned file_of_smaller = 0, first_of_level_1 = 1;

constexpr std::uint64_t bytes_of_mapping = 1024; // more than one takes in the file, but for a very long name

std::function<StreamLength()> halved(const std::function<StreamLength()> &length) {
    return [length] {
        auto half = length ? length() : StreamLength{};
        half.came = half_of(half.came);
        if (half.announced)
            half.announced = half_of(*half.announced);
        return half;
    };
}

std::string text_of(const ChunkSizes &sizes) {
    return text("%u,%u,%u", sizes.images, sizes.rows, sizes.columns);
}

} // namespace

std::uint64_t LevelBlocks::in_file(unsigned file, std::uint64_t all) const {
    const auto before = file * images, rest = all % (images * files);
    return all / (images * files) * images + std::clamp(rest, before, before + images) - before;
}

class Hdf5PartsLevels::Mean final : public OrderedWork::Job {
  public:
    Mean(Hdf5PartsLevels &levels, std::optional<ImageToWrite> image)
        : levels_(levels), image_(std::move(image)) {}

    void work() override {
        if (image_)
            image_->samples();
    }
    void run_in_order() override { levels_.write(std::move(image_)); }
    // The images that it is made of are gone.
    std::uint64_t bytes_after_work() const override { return image_ ? image_->info().size() : 0; }

  private:
    Hdf5PartsLevels &levels_;
    std::optional<ImageToWrite> image_;
};

unsigned Hdf5PartsLevels::most_files(unsigned parts) { return first_of_level_1 + files_of_level_1(parts); }

Hdf5PartsLevels::Hdf5PartsLevels(const ArrayInfo &page, unsigned parts, const Place &place,
                                 const WriteOptions &options, const std::function<StreamLength()> &length,
                                 std::uint64_t there, const OpenPart &open_part)
    : pyramid_(page) {
    auto how = options;
    const auto level_length = halved(length);
    const auto &image = pyramid_.image(1);
    const auto chunks = level_chunk_sizes(image, level_length().announced);
    blocks_ = {chunks.images, files_of_level_1(parts)};
    how.chunks = text_of(chunks);
    how.most_bytes_under_way = std::max<std::uint64_t>(options.most_bytes_under_way / blocks_.files, 1);
    auto images_there = there / 2; // an image at the end may be made of one instead of two
    auto first_missing = std::numeric_limits<std::uint64_t>::max();
    for (unsigned file = 0; file < blocks_.files; file++) {
        how.most_resumed = blocks_.in_file(file, images_there);
        level_1_.push_back(open_part(place(first_of_level_1 + file), how));
        first_missing = std::min(first_missing, blocks_.behind(file, level_1_.back()->images_there(image)));
    }
    images_there = std::min(images_there, first_missing);
    images_there_ = 2 * images_there;
    if (pyramid_.levels() > 2) {
        const auto &smaller = pyramid_.image(2);
        how.length = halved(level_length);
        // As deep as the blocks are here, so that a run that goes on finds as many images. Even thinner
        // chunks would be too many.
        constexpr unsigned thinnest = 16;
        auto sizes = level_chunk_sizes(smaller, how.length().announced);
        sizes.images = std::min(sizes.images, std::max(chunks.images / 2, thinnest));
        how.chunks = text_of(sizes);
        how.pyramid = WriteOptions::Pyramid::Yes;
        how.most_bytes_under_way = options.most_bytes_under_way;
        how.most_resumed = images_there / 2;
        smaller_ = open_part(place(file_of_smaller), how);
        images_there_ = 4 * smaller_->images_there(smaller);
    }
    // They read all samples, and make an eighth of them.
    work_ =
        std::make_unique<OrderedWork>(threads_for_writing(), options.most_bytes_under_way, options.report);
}

void Hdf5PartsLevels::set_range(const ValueRange &range) {
    for (auto *file : files())
        file->set_range(range);
}

void Hdf5PartsLevels::add(const std::optional<ImageToWrite> &image) {
    const bool is_second = images_++ % 2 == 1;
    if (!is_second) {
        first_ = image;
        return;
    }
    if (first_ && image)
        add_mean_of({*std::exchange(first_, std::nullopt), *image});
    else
        work_->add(std::make_unique<Mean>(*this, std::nullopt), 0);
    first_.reset();
}

void Hdf5PartsLevels::add_mean_of(std::vector<ImageToWrite> images) {
    auto mean = mean_of(1, std::move(images));
    const auto bytes = mean.bytes_in_memory();
    work_->add(std::make_unique<Mean>(*this, std::move(mean)), bytes);
}

ImageToWrite Hdf5PartsLevels::mean_of(unsigned level, std::vector<ImageToWrite> images) const {
    const auto page = pyramid_.image(level - 1);
    return ImageToWrite::made_of(std::move(images), pyramid_.image(level),
                                 [page](const std::vector<const void *> &from, void *to) {
                                     halve_images(page.format, from[0], from.size() > 1 ? from[1] : nullptr,
                                                  page.height, page.width, to);
                                 });
}

// The next image of level 1; an empty one is there already.
void Hdf5PartsLevels::write(std::optional<ImageToWrite> mean) {
    auto &file = *level_1_[blocks_.file_of(means_)];
    const bool is_second = means_++ % 2 == 1;
    if (mean)
        file.write(*mean);
    else
        file.skip(pyramid_.image(1), 1);
    if (!smaller_)
        return;
    if (!is_second) {
        first_mean_ = std::move(mean);
        return;
    }
    if (first_mean_ && mean)
        write_smaller({*std::exchange(first_mean_, std::nullopt), *mean});
    else
        smaller_->skip(pyramid_.image(2), 1);
    first_mean_.reset();
}

void Hdf5PartsLevels::write_smaller(std::vector<ImageToWrite> images) {
    smaller_->write(mean_of(2, std::move(images)));
}

void Hdf5PartsLevels::settle() {
    if (work_)
        work_->settle();
    for (auto *file : files())
        file->settle();
}

void Hdf5PartsLevels::finish() {
    if (first_)
        add_mean_of({*std::exchange(first_, std::nullopt)});
    work_->settle();
    work_.reset();
    if (first_mean_)
        write_smaller({*std::exchange(first_mean_, std::nullopt)});
    for (auto *file : files())
        file->finish();
    close();
}

void Hdf5PartsLevels::abandon() {
    work_.reset();
    for (auto *file : files())
        file->abandon();
    close();
}

std::vector<ImageTarget *> Hdf5PartsLevels::files() const {
    std::vector<ImageTarget *> all;
    for (const auto &file : level_1_)
        all.push_back(file.get());
    if (smaller_)
        all.push_back(smaller_.get());
    return all;
}

void Hdf5PartsLevels::close() {
    level_1_.clear();
    smaller_.reset();
}

void Hdf5PartsLevels::join(Hdf5Target &target, std::uint64_t images,
                           const std::function<std::string(unsigned)> &source, const std::string &dataset,
                           const std::optional<ValueRange> &grey) const {
    for (unsigned level = 1; level < pyramid_.levels(); level++) {
        images = half_of(images);
        const auto &image = pyramid_.image(level);
        const auto &volume = target.location().dataset;
        const auto name = hdf5_level_name(volume, level);
        const auto told = "cannot create '" + target.location().file + ":" + name + "'";
        const auto check = [&](auto result) { return hdf5_check(result, GST_RESOURCE_ERROR_WRITE, told); };
        target.reserve(0);
        const hsize_t extent[] = {images, image.height, image.width};
        const Hdf5Handle space(check(H5Screate_simple(3, extent, nullptr)), H5Sclose);
        const Hdf5Handle creation(check(H5Pcreate(H5P_DATASET_CREATE)), H5Pclose);
        // Whole images; all of them where nothing is selected.
        const auto select = [&](const Hdf5Handle &of, std::uint64_t first, std::uint64_t count) {
            const hsize_t start[] = {first, 0, 0}, size[] = {count, image.height, image.width};
            check(H5Sselect_hyperslab(of.get(), H5S_SELECT_SET, start, nullptr, size, nullptr));
        };
        if (level > 1 || images <= blocks_.images) {
            const auto file = level > 1 ? file_of_smaller : first_of_level_1;
            const auto there = hdf5_level_name(dataset, level > 1 ? level - 2 : 0);
            check(H5Pset_virtual(creation.get(), space.get(), source(file).c_str(), there.c_str(),
                                 space.get()));
        } else {
            target.reserve((images / blocks_.images + 1) * bytes_of_mapping);
            for (std::uint64_t first = 0; first < images; first += blocks_.images) {
                const auto file = blocks_.file_of(first);
                const auto count = std::min(blocks_.images, images - first);
                const hsize_t all[] = {blocks_.in_file(file, images), image.height, image.width};
                const Hdf5Handle from(check(H5Screate_simple(3, all, nullptr)), H5Sclose);
                select(space, first, count);
                select(from, blocks_.in_file(file, first), count);
                check(H5Pset_virtual(creation.get(), space.get(), source(first_of_level_1 + file).c_str(),
                                     dataset.c_str(), from.get()));
            }
            check(H5Sselect_all(space.get()));
        }
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
