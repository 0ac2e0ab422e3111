// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volume-files.hpp"

#include <gst/files/number-pattern.hpp>
#include <gst/files/open-writer.hpp>
#include <gst/tomo/graph/names.hpp>

#include <filesystem>

namespace tomo::live {

namespace {

bool exists(const std::string &path) {
    std::error_code ignored;
    return std::filesystem::exists(io::split_location(path).file, ignored);
}

// All slices in one file, under this very name.
std::unique_ptr<io::ImageWriter> writer_of(const std::string &path) {
    auto place = io::split_location(path);
    if (place.dataset.empty() && io::type_of_suffix(place.file) == io::FileType::Hdf5)
        place.dataset = "/volume";
    return io::open_writer(io::escape_pattern(place.text()));
}

} // namespace

void check_volume_name(const std::string &path) {
    if (exists(path))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("'%s' is there already: name a new file for the volume", path.c_str()));
    switch (io::require_type(io::split_location(path).file, io::FileType::Automatic)) {
    case io::FileType::Jpeg:
    case io::FileType::Png:
    case io::FileType::Pnm:
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s' is a picture, which has no room for a volume: wanted a file such as volume.h5 or "
                 "volume.tif",
                 path.c_str()));
    default:
        writer_of(path); // throws what is wrong with it
    }
}

void check_volume_pattern(const std::string &pattern) {
    if (!io::NumberPattern(io::split_location(pattern).file).has_number())
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("volume-path '%s' names one file for many volumes: wanted a number in it, such as "
                         "volume-%%03i.h5",
                         pattern.c_str()));
    check_volume_name(free_volume_name(pattern));
}

std::string free_volume_name(const std::string &pattern) {
    const io::NumberPattern names(pattern);
    std::uint64_t number = 0;
    while (exists(names.name(number)))
        number++;
    return names.name(number);
}

void write_volume(const std::string &path, const ArrayInfo &info, const void *samples) {
    check_volume_name(path); // somebody may have made it meanwhile
    const auto writer = writer_of(path);
    writer->write(info, samples);
    writer->finish();
}

} // namespace tomo::live
