// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volume.hpp"

#include <gst/files/share-work.hpp>

#include <algorithm>
#include <bit>

namespace tomo::io {

namespace {

constexpr unsigned least_images = 4, most_images = 64; // of a group

ZarrSizes half_of(const ZarrSizes &sizes) {
    return {io::half_of(sizes[0]), io::half_of(sizes[1]), io::half_of(sizes[2])};
}

} // namespace

ZarrVolume::ZarrVolume(const std::string &folder, const ArrayInfo &image, const ChunkSizes &chunks,
                       bool pyramid, std::uint64_t most_bytes) {
    ZarrGrid grid{image.format, {0, image.height, image.width}, {chunks.images, chunks.rows, chunks.columns}};
    for (unsigned axis = 1; axis < 3; axis++)
        if (grid.chunk[axis] < grid.shape[axis] && grid.chunk[axis] % 2 == 1)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("chunks has %" G_GUINT64_FORMAT
                     " along rows or columns; where an image has several chunks, these sizes must be even, "
                     "because the levels of the pyramid halve them",
                     grid.chunk[axis]));
    for (;;) {
        levels_.emplace_back(folder + "/" + std::to_string(levels_.size()), grid);
        if (!pyramid || std::max(grid.shape[1], grid.shape[2]) <= smallest_level)
            break;
        grid.shape = half_of(grid.shape);
        for (unsigned axis = 1; axis < 3; axis++)
            grid.chunk[axis] = std::min(grid.chunk[axis], grid.shape[axis]);
    }
    const auto &first = levels_.front();
    const auto wanted = std::bit_floor(
        std::max<std::uint64_t>(most_bytes / (first.columns() * first.grid().plane_bytes()), 1));
    images_of_group_ = static_cast<unsigned>(std::clamp<std::uint64_t>(wanted, least_images, most_images));
    levels_of_group_ = std::min<std::size_t>(levels_.size(), std::bit_width(images_of_group_));
    spare_.resize(levels_.size());
}

std::shared_ptr<ZarrGroup> ZarrVolume::group(std::size_t level, std::uint64_t first) {
    std::unique_ptr<ZarrGroup> group;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        if (!spare_[level].empty()) {
            group = std::move(spare_[level].back());
            spare_[level].pop_back();
        }
    }
    if (!group)
        group = std::make_unique<ZarrGroup>(levels_[level], std::max(images_of_group_ >> level, 1u));
    group->first = first;
    return {group.release(), [this, level](ZarrGroup *used) {
                const std::lock_guard<std::mutex> lock(lock_);
                spare_[level].emplace_back(used);
            }};
}

void ZarrVolume::write_columns(const ZarrGroup &group, unsigned images, ZarrGroup *next) const {
    share_work(group.level().columns(), threads_for_writing(), [&](std::size_t column) {
        group.write(column, images);
        if (next)
            group.halve_column(column, images, *next);
    });
}

void ZarrVolume::write(const ZarrGroup &whole, unsigned images) {
    std::shared_ptr<ZarrGroup> held;
    const auto *group = &whole;
    for (std::size_t level = 1;; level++) {
        const auto next = level < levels_of_group_ ? this->group(level, group->first / 2) : nullptr;
        write_columns(*group, images, next.get());
        if (!next)
            return;
        held = next;
        group = held.get();
        images = io::half_of(images);
    }
}

void ZarrVolume::finish(std::uint64_t images) {
    for (std::size_t level = 1; level < levels_.size(); level++) {
        if (level >= levels_of_group_)
            make_level(level, images);
        images = io::half_of(images);
    }
}

// Of the level before, read from its files.
void ZarrVolume::make_level(std::size_t number, std::uint64_t images_before) {
    auto grid = levels_[number - 1].grid();
    grid.shape[0] = images_before;
    const ZarrArray before(levels_[number - 1].folder(), grid);
    const auto &level = levels_[number];
    const auto image = before.image();
    const auto bytes = level.columns() * level.grid().plane_bytes();
    const auto together = static_cast<unsigned>(std::clamp<std::uint64_t>(
        levels_[0].columns() * levels_[0].grid().plane_bytes() * images_of_group_ / bytes, 1,
        level.grid().chunk[0]));
    ZarrGroup group(level, together);
    const auto all = io::half_of(images_before);
    for (; group.first < all; group.first += together) {
        const auto images = static_cast<unsigned>(std::min<std::uint64_t>(together, all - group.first));
        share_work(images, threads_for_writing(), [&](std::size_t i) {
            const auto from = 2 * (group.first + i);
            const auto count = static_cast<unsigned>(std::min<std::uint64_t>(2, images_before - from));
            std::vector<double> pair(count * image.size() / sizeof(double) +
                                     1), // so that all types are aligned
                half(image.size() / sizeof(double) + 1);
            for (unsigned each = 0; each < count; each++)
                before.read(from + each, {}, reinterpret_cast<char *>(pair.data()) + each * image.size(),
                            image.width * image.sample_size());
            const auto columns = io::half_of(image.width);
            halve(image.format, {pair.data(), image.samples(), image.width, count, image.height, image.width},
                  {half.data(), 0, columns, 0, 0, 0});
            group.put(static_cast<unsigned>(i), half.data());
        });
        write_columns(group, images, nullptr);
    }
}

std::vector<std::pair<std::string, std::string>> ZarrVolume::descriptions(std::uint64_t images) const {
    std::vector<std::pair<std::string, std::string>> files;
    for (std::size_t level = 0; level < levels_.size(); level++) {
        auto grid = levels_[level].grid();
        grid.shape[0] = images;
        const auto folder = std::to_string(level);
        files.emplace_back(folder + "/.zarray", zarr_description(grid));
        files.emplace_back(folder + "/.zattrs", "{\"_ARRAY_DIMENSIONS\": [\"z\", \"y\", \"x\"]}\n");
        images = io::half_of(images);
    }
    return files;
}

} // namespace tomo::io
