// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "layout.hpp"
#include <gst/files/file-list.hpp>
#include <gst/files/input-file.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/tomo/device/samples.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/magnification.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

bool is_hdf5(const std::string &file) {
    const InputFile input(file);
    // The signature stands at the start, or behind a user block of 512 bytes, twice that, ...
    for (std::uint64_t at = 0; at + 8 <= input.size(); at = at ? 2 * at : 512) {
        char bytes[8];
        input.read_at(at, bytes, sizeof bytes, "the signature");
        if (std::string(bytes, sizeof bytes) == "\x89HDF\r\n\x1a\n")
            return true;
    }
    return false;
}

// Projections that an application lends.
ScanLayout memory_scan(const std::string &location) {
    ScanLayout scan;
    scan.name = "arrays in memory";
    scan.projections.add_file(location, MemoryImages::named(location)->info().depth);
    return scan;
}

ScanLayout find_by_content(const ScanRequest &request) {
    std::error_code ignored;
    const auto given = split_location(request.location);
    const auto folder_scan = [&](const std::string &location) {
        for (const auto &[name, value] :
             {std::pair("entry", &request.entry), {"detector", &request.detector}})
            if (!value->empty())
                throw Error(GST_RESOURCE_ERROR_SETTINGS,
                            text("%s is '%s', but '%s' is no HDF5 file: only these have any", name,
                                 value->c_str(), location.c_str()));
        return names_scanner(location) && !fs::is_directory(location, ignored)
                   ? find_scanner_scan(location)
                   : find_folder_scan(location, request.order);
    };
    if (names_memory(request.location))
        return memory_scan(request.location);
    if (!fs::exists(given.file, ignored) || fs::is_directory(given.file, ignored))
        return folder_scan(request.location);
    if (!is_hdf5(given.file))
        return folder_scan(given.file);
#ifdef HAVE_HDF5
    if (!given.dataset.empty() && !request.entry.empty() && given.dataset != request.entry)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' and entry '%s' name different scans; give one of them",
                         request.location.c_str(), request.entry.c_str()));
    return find_hdf5_scan(given.file, given.dataset.empty() ? request.entry : given.dataset, request.detector,
                          request.follow);
#else
    throw not_built_in(FileType::Hdf5, given.file);
#endif
}

std::vector<double> angles_of_memory(const std::string &location) {
    const auto images = MemoryImages::named(location);
    const auto &info = images->info();
    if (info.height > 1 || info.depth > 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("the angles are %s; wanted one row, with an angle in degrees for "
                         "each projection",
                         info.describe().c_str()));
    std::vector<double> angles;
    with_real_samples(info.format, images->row(0, 0),
                      [&](const auto *from) { angles.assign(from, from + info.width); });
    return angles_in_radians(std::move(angles), "deg");
}

ScanImages images_of(const std::string &path, NameOrder order) {
    ScanImages found;
    for (const auto &file : list_files(path, {}, {0, 1, order}))
        found.add_file(file, open_scan_reader(file)->pages());
    return found;
}

// The planes of all pages of a file whose first page has several.
class PlanesAsPages final : public ImageReader {
  public:
    explicit PlanesAsPages(std::unique_ptr<ImageReader> reader)
        : reader_(std::move(reader)), planes_(reader_->info(0).depth) {}

    bool has_page(std::size_t page) override { return reader_->has_page(page / planes_); }
    std::size_t pages() override { return reader_->pages() * planes_; }
    bool is_stored(std::size_t page) override { return reader_->is_stored(page / planes_); }

    ArrayInfo info(std::size_t page) override {
        const auto whole = of_all_planes(page);
        return whole.with_size(whole.width, whole.height, 1);
    }
    void read(std::size_t page, void *destination, std::size_t bytes) override {
        check_destination(info(page), bytes, text("page %" G_GSIZE_FORMAT, page));
        std::vector<char> all(of_all_planes(page).size());
        reader_->read(page / planes_, all.data(), all.size());
        std::memcpy(destination, all.data() + page % planes_ * bytes, bytes);
    }

  private:
    ArrayInfo of_all_planes(std::size_t page) {
        const auto whole = reader_->info(page / planes_);
        if (whole.depth != planes_)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("page %" G_GSIZE_FORMAT " is %s, but the first one has %" G_GSIZE_FORMAT
                             " planes",
                             page / planes_, whole.describe().c_str(), planes_));
        return whole;
    }

    std::unique_ptr<ImageReader> reader_;
    const std::size_t planes_;
};

double factor(const std::string &units, const char *what, const std::map<std::string, double> &known) {
    if (units.empty())
        return 1.0;
    std::string lower;
    for (const char c : units)
        lower += g_ascii_tolower(c);
    if (const auto unit = known.find(lower); unit != known.end())
        return unit->second;
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("%s in '%s', which is no unit known here", what, units.c_str()));
}

} // namespace

std::vector<double> angles_of_file(const std::string &path) {
    if (names_memory(path))
        return angles_of_memory(path);
    const auto location = split_location(path);
    if (location.dataset.empty() && type_of_suffix(path) != FileType::Hdf5)
        return type_of_suffix(path) == FileType::Npy ? angles_of_npy(path) : angles_of_text(path);
#ifdef HAVE_HDF5
    return angles_of_hdf5(location);
#else
    throw not_built_in(FileType::Hdf5, location.file);
#endif
}

#ifndef HAVE_HDF5
std::optional<double> axis_of_result(const Location &) { return {}; }
#endif

std::unique_ptr<ImageReader> open_scan_reader(const std::string &path, const ReadOptions &options) {
    auto reader = open_reader(path, options);
    if (!reader->has_separate_planes(0) || reader->info(0).depth == 1)
        return reader;
    return std::make_unique<PlanesAsPages>(std::move(reader));
}

void check_image_count(const std::string &where, std::uint64_t count) {
    constexpr std::uint64_t most = 10'000'000;
    if (count > most)
        throw Error(GST_STREAM_ERROR_DECODE, text("%s claims to be about %" G_GUINT64_FORMAT
                                                  " images; the file is damaged, or no scan",
                                                  where.c_str(), count));
}

double ScanLayout::at_sample(double pixel_of_detector) const {
    return pixel_of_detector / magnification(source_distance, distance);
}

void ScanImages::add_file(const std::string &file, std::uint64_t pages) {
    check_image_count("'" + file + "'", pages);
    for (std::size_t page = 0; page < pages; page++)
        images.push_back({files.size(), page, images.size()});
    files.push_back(file);
}

double metres(const std::string &units) {
    return factor(units, "a length",
                  {{"m", 1},
                   {"metre", 1},
                   {"meter", 1},
                   {"metres", 1},
                   {"meters", 1},
                   {"cm", 1e-2},
                   {"mm", 1e-3},
                   {"millimeter", 1e-3},
                   {"um", 1e-6},
                   {"µm", 1e-6},
                   {"μm", 1e-6},
                   {"micron", 1e-6},
                   {"microns", 1e-6},
                   {"micrometer", 1e-6},
                   {"nm", 1e-9},
                   {"nanometer", 1e-9},
                   {"pixel", NAN},
                   {"pixels", NAN}});
}

double kilo_electronvolts(const std::string &units) {
    return factor(
        units, "an energy",
        {{"kev", 1}, {"ev", 1e-3}, {"mev", 1e3}, {"j", 1 / 1.602176634e-16}, {"joule", 1 / 1.602176634e-16}});
}

std::vector<double> angles_in_radians(std::vector<double> angles, const std::string &units) {
    if (angles.empty())
        return angles;
    // Frames that are no projections may have none.
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (const auto angle : angles)
        if (std::isfinite(angle))
            least = std::min(least, angle), most = std::max(most, angle);
    const double span = most - least;
    const double turns = span / G_PI;
    // Without a word about units, half a turn or whole ones are told by their numbers.
    const bool looks_like_radians =
        most <= 2.1 * G_PI && (std::abs(turns - 1.0) < 0.05 || std::abs(turns - 2.0) < 0.05);
    const bool radians =
        units.empty() ? looks_like_radians : g_ascii_strncasecmp(units.c_str(), "rad", 3) == 0;
    if (!radians && !units.empty() && g_ascii_strncasecmp(units.c_str(), "deg", 3) != 0 && units != "°")
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("angles in '%s', which is neither degrees nor radians", units.c_str()));
    if (!radians)
        for (auto &angle : angles)
            angle = tomo::radians(angle);
    return angles;
}

bool names_scan_file(const std::string &location) {
    const auto given = split_location(location);
    return (given.dataset.empty() && type_of_suffix(given.file) == FileType::Hdf5) || names_scanner(location);
}

ScanLayout find_scan(const ScanRequest &request) {
    if (request.location.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS, "no location is given; name the scan's file or folder");
    auto scan = find_by_content(request);
    scan.axis_position = request.axis.value_or(scan.axis_position);
    const auto replace = [&](ScanImages &images, const std::string &path) {
        if (path.empty())
            return;
        images = images_of(path, request.order);
        scan.has_order = false;
        scan.beam.clear(); // it is that of the scan's own frames
    };
    replace(scan.darks, request.darks);
    replace(scan.flats, request.flats);
    replace(scan.flats_after, request.flats_after);
    if (!request.angles.empty())
        scan.angles = angles_of_file(request.angles);
    else if (!scan.unusable_angles.empty())
        throw Error(GST_STREAM_ERROR_FORMAT, scan.unusable_angles);
    else if (!scan.unclear_angles.empty())
        scan.warnings.push_back(scan.unclear_angles);
    // Those of all frames.
    const auto &images = scan.projections.images;
    if (scan.all_frames > images.size() && scan.angles.size() == scan.all_frames) {
        std::vector<double> of_projections;
        for (const auto &image : images)
            of_projections.push_back(scan.angles[image.number]);
        scan.angles = std::move(of_projections);
    }
    if (!request.shifts.empty()) {
        scan.shifts = shifts_of_file(request.shifts);
        scan.unusable_shifts.clear();
        if (scan.shifts.x.size() != images.size())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s has %zu projections, but '%s' has %zu displacements; write one for each "
                             "projection",
                             scan.name.c_str(), images.size(), request.shifts.c_str(), scan.shifts.x.size()));
    }
    if (request.follow && !scan.angles.empty()) {
        const auto known = std::min(scan.angles.size(), scan.projections.images.size());
        scan.angles.resize(known);
        scan.projections.images.resize(known);
    }
    const auto projections = scan.projections.images.size();
    const bool has_others = !scan.darks.empty() || !scan.flats.empty() || !scan.flats_after.empty();
    if (projections == 0 && (request.follow || !has_others))
        throw NotYet(GST_RESOURCE_ERROR_NOT_FOUND, scan.name + " holds no projection");
    if (projections == 0)
        scan.angles.clear();
    if (!scan.angles.empty() && scan.angles.size() != projections)
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("%s: %" G_GSIZE_FORMAT " projections came, but %" G_GSIZE_FORMAT
                 " angles; give one angle in degrees for each projection (in a text file: one per line)",
                 scan.name.c_str(), projections, scan.angles.size()));
    for (std::size_t i = 0; i < scan.angles.size(); i++)
        if (!std::isfinite(scan.angles[i]))
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("%s: the angle of projection %" G_GSIZE_FORMAT " (counted from 0) is %g; write those "
                     "of the projections into a text file, one per line in degrees, and name it as angles",
                     scan.name.c_str(), i, scan.angles[i]));
    return scan;
}

} // namespace tomo::io
