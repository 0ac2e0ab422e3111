// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-format.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/cluster/conditions.hpp>
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/parts.hpp>
#include <gst/reconstruction/room.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string_view>

#include <sys/statvfs.h>

namespace tomo::reconstruction {

namespace {

// Bytes of memory that the system can give; without end where it does not tell.
double available_memory() {
    std::ifstream facts("/proc/meminfo");
    std::string name, rest;
    for (double kilobytes = 0.0; facts >> name >> kilobytes; std::getline(facts, rest))
        if (name == "MemAvailable:")
            return kilobytes * 1024.0;
    return HUGE_VAL;
}

// All flats, for a dynamic flat.
std::uint64_t bytes_of_flats(const Settings &settings, const Inspection &scan) {
    return is_flat_dynamic(settings, scan)
               ? 2 * (scan.flats + scan.flats_after) * sizeof(float) *
                     (scan.image.plane_samples() / settings.binning / settings.binning)
               : 0;
}

// A sinogram, and what it is made of.
std::uint64_t bytes_of_row(const Settings &settings, const Inspection &scan) {
    return 2 * sizeof(float) * (scan.image.width / settings.binning) * std::uint64_t{scan.views};
}

} // namespace

std::uint64_t least_memory(const Settings &settings, const Inspection &scan, unsigned rows) {
    return rows * bytes_of_row(settings, scan) + bytes_of_flats(settings, scan);
}

Share rows_at_once(const Settings &settings, const Inspection &scan, const Rows &all) {
    const unsigned binning = settings.binning;
    const auto memory = settings.memory_bytes(), row = bytes_of_row(settings, scan);
    if (!needs_projections(settings, scan))
        return {memory < row ? 0 : all.count, row * std::min(all.count, 8u)};
    // All projections of a slab are held, as they come and as sinograms.
    const auto flats = bytes_of_flats(settings, scan);
    const auto room = memory > flats ? (memory - flats) / row : 0;
    const auto sinograms = static_cast<unsigned>(std::min<std::uint64_t>(room, all.count / binning));
    return {sinograms * binning, row * sinograms + flats};
}

static bool has_pyramid(const Settings &settings, std::uint64_t bytes) {
    const auto type = io::type_of_suffix(io::split_location(settings.output).file);
    if (settings.format.is("ome-zarr") || type == io::FileType::Zarr)
        return !settings.pyramid.is("no");
    return settings.pyramid.is("yes") || (settings.pyramid.is("auto") && bytes > 1000000000 &&
                                          (type == io::FileType::Hdf5 || settings.output.empty()));
}

BytesOnDisk bytes_on_disk(const Settings &settings, const Inspection &scan) {
    auto result = scan.output(settings, settings.given_axis().value_or(scan.axis));
    const auto sweep = sweep_of(settings);
    if (sweep)
        result.depth = static_cast<unsigned>(sweep->values.size());
    Settings of_turn;
    of_turn.assign(settings);
    Inspection part = scan;
    take_first_turn(of_turn, part);
    const auto is_in_slabs = [&] {
        const auto parts = parts_of(of_turn, part, of_turn.given_axis().value_or(part.axis));
        return parts->at_once().images < parts->images();
    };
    const bool is_in_time = turns_of(settings, scan).size() > 1 && !series_of_turn(settings.output, 0);
    const bool is_virtual =
        !settings.cluster.empty() && !is_in_time && is_volume_virtual(settings, settings.output);
    const bool is_joined =
        !is_virtual && (sweep || !settings.cluster.empty() || is_in_time || scan.heights.size() > 1 ||
                        (!settings.result.is("projections") && is_in_slabs()));
    auto bytes = result.size();
    if (!is_virtual && has_pyramid(settings, bytes))
        bytes += bytes / 7; // each level of the pyramid has an eighth of the samples of the one before
    return {bytes, is_joined ? result.samples() * sizeof(float) : 0};
}

std::optional<Finding> finding_about_room(const Settings &settings, const Inspection &scan) {
    using Severity = Finding::Severity;
    const auto file = settings.output.value();
    const auto [result, slabs] = bytes_on_disk(settings, scan);
    if (io::names_memory(file)) {
        if (file != "memory:") // room that is lent
            return {};
        const auto bytes = static_cast<double>(result), free = available_memory();
        if (bytes > free)
            return Finding{
                "memory", Severity::error,
                text("the result takes %.4g MB, but %.4g MB of memory are free", bytes / 1e6, free / 1e6),
                "Write to a file by --output, or take fewer rows by --height."};
        return {};
    }
    CString folder(g_path_get_dirname(file.empty() ? "x" : file.c_str()));
    // It may be made later.
    while (!g_file_test(folder.get(), G_FILE_TEST_EXISTS) && folder.get() != std::string_view("."))
        folder.reset(g_path_get_dirname(folder.get()));
    struct statvfs disk;
    if (statvfs(folder.get(), &disk) != 0)
        return {}; // an error of the writer's
    const auto free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
    const auto bytes = static_cast<double>(result + slabs);
    // A part of what is resumed is there already.
    if (bytes > free)
        return Finding{
            "disk", settings.resume ? Severity::warning : Severity::error,
            text("the result%s %.4g MB, but %.4g MB are free in '%s'",
                 slabs ? " and the slabs that it is joined from take" : " takes", bytes / 1e6, free / 1e6,
                 folder.get()),
            "Write elsewhere by --output, fewer bits by --output-bitdepth, or fewer rows by --height."};
    return {};
}

} // namespace tomo::reconstruction
