// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "level.hpp"

#include <gst/files/disk.hpp>
#include <gst/files/file-descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>

namespace tomo::io {

namespace {

FileDescriptor open_chunk(const std::string &name) {
    const auto try_it = [&] {
        return FileDescriptor(open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    };
    auto file = try_it();
    if (!file && errno == ENOENT) {
        std::error_code ignored; // if it is not there now, opening fails again
        std::filesystem::create_directories(std::filesystem::path(name).parent_path(), ignored);
        file = try_it();
    }
    if (!file)
        throw system_error("write", name, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    return file;
}

} // namespace

void ZarrLevel::write(std::size_t column, std::uint64_t first, unsigned images, const char *planes) const {
    const auto across = grid_.chunks_along(2);
    const auto behind = "/" + std::to_string(column / across) + "/" + std::to_string(column % across);
    const auto plane = grid_.plane_bytes(), depth = grid_.chunk[0];
    for (std::uint64_t done = 0; done < images;) {
        const auto image = first + done, in_chunk = image % depth;
        const auto count = std::min<std::uint64_t>(images - done, depth - in_chunk);
        const auto name = folder_ + "/" + std::to_string(image / depth) + behind;
        auto file = open_chunk(name);
        // A chunk has its whole size also where its last images never come.
        if ((file_size(file.get()) != grid_.chunk_bytes() &&
             !set_file_size(file.get(), grid_.chunk_bytes())) ||
            !write_bytes(file.get(), in_chunk * plane, planes + done * plane, count * plane) ||
            file.close() != 0)
            throw system_error("write", name, errno, GST_RESOURCE_ERROR_WRITE);
        done += count;
    }
}

ZarrGroup::ZarrGroup(const ZarrLevel &level, unsigned most_images)
    : ChunkGroup(level.image(), level.grid().chunk[1], level.grid().chunk[2], most_images, level.folder()),
      level_(level) {}

void ZarrGroup::halve_column(std::size_t column, unsigned images, ZarrGroup &to) const {
    const auto &grid = level_.grid(), &next = to.level_.grid();
    const auto y = column / grid.chunks_along(2) * grid.chunk[1],
               x = column % grid.chunks_along(2) * grid.chunk[2];
    const auto size = grid.sample_size();
    const Box<const void *> from{planes_of(column),
                                 grid.chunk[1] * grid.chunk[2],
                                 grid.chunk[2],
                                 images,
                                 static_cast<unsigned>(std::min(grid.chunk[1], grid.shape[1] - y)),
                                 static_cast<unsigned>(std::min(grid.chunk[2], grid.shape[2] - x))};
    // Chunks begin at even rows and columns, so these lie in one chunk of the next level.
    const auto to_y = y / 2, to_x = x / 2;
    auto *planes = to.planes_of(to_y / next.chunk[1] * next.chunks_along(2) + to_x / next.chunk[2]) +
                   (to_y % next.chunk[1] * next.chunk[2] + to_x % next.chunk[2]) * size;
    halve(grid.format, from, {planes, next.chunk[1] * next.chunk[2], next.chunk[2], 0, 0, 0});
}

} // namespace tomo::io
