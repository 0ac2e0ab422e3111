// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans of laboratory scanners: a text file with the facts, and an image for each projection beside it. Both
// makers divide projections by flats and write them as counts, of which some number is all of the beam.
#include "layout.hpp"
#include <gst/files/file-list.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

std::string lower(const std::string &word) {
    std::string result;
    for (const char c : word)
        result += g_ascii_tolower(c);
    return result;
}

std::string trimmed(const std::string &word) {
    const auto first = word.find_first_not_of(" \t\r"), last = word.find_last_not_of(" \t\r");
    return first == std::string::npos ? "" : word.substr(first, last + 1 - first);
}

// KEY=VALUE in lines. Sections have no keys in common that count here; writers differ in capital letters.
class FactsOfText {
  public:
    FactsOfText(const std::string &path, const char *mark) : path_(path) {
        std::istringstream lines(read_text_file(path, "the facts of a scan"));
        bool is_marked = false;
        for (std::string line; std::getline(lines, line);) {
            is_marked = is_marked || trimmed(line) == mark;
            const auto equals = line.find('=');
            if (equals != std::string::npos)
                values_.emplace(lower(trimmed(line.substr(0, equals))), trimmed(line.substr(equals + 1)));
        }
        if (!is_marked)
            throw Error(
                GST_STREAM_ERROR_WRONG_TYPE,
                text("'%s' has no line %s, with which the facts of a scan begin", path.c_str(), mark));
    }

    std::string word(const char *key) const {
        const auto found = values_.find(lower(key));
        return found == values_.end() ? "" : found->second;
    }
    // NaN where it is not told.
    double number(const char *key) const {
        const auto value = word(key);
        if (value.empty())
            return ScanLayout::unknown;
        auto digits = value;
        std::replace(digits.begin(), digits.end(), ',', '.');
        char *end = nullptr;
        const double number = g_ascii_strtod(digits.c_str(), &end);
        if (end == digits.c_str() || *end || !std::isfinite(number))
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s': %s is '%s'; wanted a number", path_.c_str(), key, value.c_str()));
        return number;
    }
    double required(const char *key) const {
        const double value = number(key);
        if (std::isnan(value))
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s' does not tell %s", path_.c_str(), key));
        return value;
    }
    double above_zero(const char *key) const {
        const double value = required(key);
        if (!(value > 0.0))
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s': %s is %g; wanted a number above 0", path_.c_str(), key, value));
        return value;
    }

  private:
    const std::string path_;
    std::map<std::string, std::string> values_;
};

constexpr double millimetre = 1e-3, micrometre = 1e-6;

void set_distances(ScanLayout &scan, const FactsOfText &facts, const char *to_object,
                   const char *to_detector) {
    const double object = facts.above_zero(to_object), detector = facts.above_zero(to_detector);
    if (!(detector > object))
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("%s: %s is %g mm and %s %g mm, but the detector is behind the object",
                         scan.name.c_str(), to_object, object, to_detector, detector));
    scan.source_distance = object * millimetre;
    scan.distance = (detector - object) * millimetre;
}

fs::path folder_of(const std::string &file) {
    const auto folder = fs::path(file).parent_path();
    return folder.empty() ? fs::path(".") : folder;
}

// Images in a folder whose names are the prefix and a number, by that number.
std::map<std::uint64_t, std::string> numbered_images(const fs::path &folder, const std::string &prefix) {
    std::map<std::uint64_t, std::string> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto stem = entry->path().stem().string();
        constexpr std::size_t most_digits = 10;
        const auto digits = stem.compare(0, prefix.size(), prefix) == 0 ? stem.substr(prefix.size()) : "";
        if (type_of_suffix(entry->path().string()) == FileType::Tiff && !digits.empty() &&
            digits.size() <= most_digits && digits.find_first_not_of("0123456789") == std::string::npos)
            found.emplace(g_ascii_strtoull(digits.c_str(), nullptr, 10), entry->path().string());
    }
    if (error)
        throw system_error("read the folder", folder.string(), error.value(), GST_RESOURCE_ERROR_OPEN_READ);
    if (found.empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("there are no TIFF images '%s' with a number behind it", (folder / prefix).c_str()));
    return found;
}

// The image with the number `first` has the angle `start`. Angles in degrees.
void set_projections(ScanLayout &scan, const std::map<std::uint64_t, std::string> &images,
                     std::uint64_t first, double start, double step, double told) {
    check_image_count(scan.name, images.size());
    for (const auto &[number, file] : images) {
        scan.projections.add_file(file, 1);
        scan.angles.push_back(
            radians(start + step * (static_cast<double>(number) - static_cast<double>(first))));
    }
    scan.projections.one_page_each = true;
    if (std::isfinite(told) && told != static_cast<double>(images.size()))
        scan.warnings.push_back(
            text("the scanner tells %g projections, and %zu images are there; each has the "
                 "angle of the number in its name",
                 told, images.size()));
}

void check_size(ScanLayout &scan, double width, double height) {
    const auto image = open_scan_reader(scan.projections.files.front())->info(0);
    if (std::isfinite(width) && std::isfinite(height) && (width != image.width || height != image.height))
        scan.warnings.push_back(
            text("the scanner tells images of %g x %g pixels, and the first one has %u x %u: the "
                 "pixel size may be another one",
                 width, height, image.width, image.height));
}

// Nikon (X-Tek), as CT Pro writes it. Lengths are in millimetres, places of the axis at the detector. The
// angles that it repeats in files beside are those of the stage's encoder, or nominal ones again.
ScanLayout nikon_scan(const std::string &file) {
    const FactsOfText facts(file, "[XTekCT]");
    ScanLayout scan;
    scan.name = "'" + file + "', Nikon";
    set_distances(scan, facts, "SrcToObject", "SrcToDetector");
    const double pixel = facts.above_zero("DetectorPixelSizeX") * millimetre,
                 columns = facts.number("DetectorPixelsX");
    scan.pixel_size = scan.at_sample(pixel);
    scan.white_level = facts.number("WhiteLevel");
    // Scans that were moved still tell where they were.
    std::error_code ignored;
    const auto beside = folder_of(file), told = beside / facts.word("InputFolderName");
    const auto folder = fs::is_directory(told, ignored) ? told : beside;
    auto prefix = facts.word("Name");
    if (prefix.empty())
        prefix = fs::path(file).stem().string();
    const auto images = numbered_images(folder, prefix + facts.word("InputSeparator"));
    set_projections(scan, images, images.begin()->first == 0 ? 0 : 1,
                    std::isnan(facts.number("InitialAngle")) ? 0.0 : facts.number("InitialAngle"),
                    facts.required("AngularStep"), facts.number("Projections"));
    check_size(scan, columns, facts.number("DetectorPixelsY"));
    const auto or_zero = [&](const char *key) {
        return std::isnan(facts.number(key)) ? 0.0 : facts.number(key);
    };
    // Where the scanner did not measure it, it is 0. The offset of the object is at the object.
    const double of_object = or_zero("ObjectOffsetX"),
                 at_detector = of_object != 0.0
                                   ? of_object * millimetre / scan.pixel_size * pixel
                                   : (or_zero("CentreOfRotationTop") + or_zero("CentreOfRotationBottom")) /
                                         2.0 * millimetre;
    if (at_detector != 0.0 && std::isfinite(columns))
        scan.axis_position = columns / 2.0 + (at_detector - or_zero("DetectorOffsetX") * millimetre) / pixel;
    return scan;
}

// SkyScan (Bruker). Its pixel size is that at the object.
ScanLayout skyscan_scan(const std::string &file) {
    const FactsOfText facts(file, "[System]");
    ScanLayout scan;
    scan.name = "'" + file + "', SkyScan";
    set_distances(scan, facts, "Object to Source (mm)", "Camera to Source (mm)");
    const char *key = facts.word("Scaled Image Pixel Size (um)").empty() ? "Image Pixel Size (um)"
                                                                         : "Scaled Image Pixel Size (um)";
    scan.pixel_size = facts.above_zero(key) * micrometre;
    if (lower(facts.word("Flat Field Correction")) == "on")
        scan.white_level = facts.number("Reference Intensity");
    auto prefix = facts.word("Filename Prefix");
    if (prefix.empty())
        prefix = fs::path(file).stem().string();
    set_projections(scan, numbered_images(folder_of(file), prefix), 0, 0.0,
                    facts.required("Rotation Step (deg)"), facts.number("Number of Files"));
    check_size(scan, facts.number("Number of Columns"), facts.number("Number of Rows"));
    return scan;
}

} // namespace

bool names_scanner(const std::string &file) {
    const auto suffix = lower(fs::path(file).extension().string());
    return suffix == ".xtekct" || suffix == ".log" || type_of_suffix(file) == FileType::Xradia;
}

ScanLayout find_scanner_scan(const std::string &file) {
    if (type_of_suffix(file) == FileType::Xradia) {
#ifdef HAVE_GSF
        return find_xradia_scan(file);
#else
        throw not_built_in(FileType::Xradia, file);
#endif
    }
    auto scan = lower(fs::path(file).extension().string()) == ".log" ? skyscan_scan(file) : nikon_scan(file);
    if (!(scan.white_level > 0.0))
        scan.white_level = ScanLayout::unknown;
    return scan;
}

} // namespace tomo::io
