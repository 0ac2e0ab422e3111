// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input.hpp"

#ifdef HAVE_HDF5
#include <gst/files/hdf5/types.hpp>
#endif

#include <algorithm>
#include <vector>

using namespace tomo::io;

namespace fuzz {

namespace {

using Pixels = std::vector<unsigned char>; // of exactly the size, for the sanitizer

constexpr std::size_t most_pages = 8;

// Some columns of every page, which must be those of the whole page.
void read_parts(const std::string &path, const ReadOptions &options, const Settings &settings) {
    const auto reader = open_reader(path, options);
    for (std::size_t page = 0; page < most_pages && reader->has_page(page); page++) {
        const auto info = reader->info(page);
        if (info.size() > most_bytes)
            continue;
        Pixels whole(info.size());
        reader->read(page, whole.data(), whole.size());
        if (info.depth != 1)
            continue;
        const Part part{{}, settings.part.first_column, settings.part.columns};
        const auto wanted = part.of(info, path);
        const auto sample = info.sample_size(), row = wanted.width * sample;
        Pixels pixels(wanted.size());
        // A reader that knows parts of the file itself has them of all rows.
        const bool by_itself = options.type == FileType::Hdf5;
        const Part asked{by_itself ? options.rows : RowRegion{}, part.first_column, part.columns};
        reader->read_part(page, asked, pixels.data(), row);
        for (std::size_t y = 0; y < wanted.height; y++)
            if (std::memcmp(pixels.data() + y * row,
                            whole.data() + (y * info.width + part.first_column) * sample, row) != 0)
                disagree("a part of an image is not what stands there in the whole image");
    }
    reader->pages();
}

#ifdef HAVE_HDF5
// What the library reads must be what we read without it.
void compare_with_library(const std::string &path, const std::string &dataset) {
    ReadOptions options;
    options.type = FileType::Hdf5;
    const auto reader = open_reader(path + ":" + dataset, options);
    const Hdf5Lock lock;
    const auto file = hdf5_open(path, false);
    if (hdf5_is_live(file.get())) // of which the library shows what was there before
        return;
    const auto data = hdf5_open_dataset(file.get(), dataset);
    const Hdf5Handle stored(H5Dget_type(data.get()), H5Tclose);
    const auto sample = hdf5_memory_type(stored.get());
    for (std::size_t page = 0; page < most_pages && reader->has_page(page); page++) {
        const auto info = reader->info(page);
        if (info.samples() > 1 << 18) // may be as many chunks, which the library lists beforehand
            return;
        Pixels ours(info.size()), theirs(info.size());
        reader->read(page, ours.data(), ours.size());
        const auto from = hdf5_select_image(data.get(), page, 0, info.height, 1);
        const hsize_t extent[] = {info.height, info.width};
        const Hdf5Handle to(H5Screate_simple(2, extent, nullptr), H5Sclose);
        if (H5Dread(data.get(), sample.type.get(), to.get(), from.get(), H5P_DEFAULT, theirs.data()) < 0)
            continue;
        const auto [our, their] = std::mismatch(ours.begin(), ours.end(), theirs.begin());
        if (our != ours.end())
            disagree(tomo::text("page %zu, byte %zu of %s: %d, but the library reads %d", page,
                                std::size_t(our - ours.begin()), info.describe().c_str(), *our, *their)
                         .c_str());
    }
}
#endif

} // namespace

void read_images(FileType type, const Settings &settings, const Input &content) {
    if (type == FileType::Hdf5 && has_endless_heap(content))
        return;
    const File file(content);
    auto path = file.path();
    ReadOptions options;
    options.type = type;
    options.rows = settings.part.rows;
    if (type == FileType::Hdf5) {
        check_checksums(settings.various & 1);
        path += ":/data";
    }
    options.raw.width = 7;
    options.raw.height = 5;
    options.raw.packed12 = settings.various & 1;
    options.raw.format = options.raw.packed12 ? GST_TOMO_FORMAT_UINT16 : GST_TOMO_FORMAT_FLOAT64;
    options.raw.swapped = settings.various & 2;
    options.raw.packing = static_cast<Packing12>((settings.various >> 2) % 3);
    options.raw.pre_offset = settings.various >> 4 & 7;
    options.raw.post_offset = settings.various >> 7 & 7;
    read_parts(path, options, settings);
#ifdef HAVE_HDF5
    if (type == FileType::Hdf5 && is_sound)
        compare_with_library(file.path(), "/data");
#endif
}

} // namespace fuzz
