// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans of Zeiss (Xradia) microscopes: one .txrm of all projections, or one .xrm of one. Zeiss documents no
// format. What streams hold is known from the readers of dxchange (Argonne), CIL (CCPi) and txrm2tiff
// (Diamond).
#include "layout.hpp"
#include <gst/files/xradia/streams.hpp>
#include <gst/tomo/geometry/degrees.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::io {

namespace {

constexpr double millimetre = 1e-3, micrometre = 1e-6, electronvolt = 1e-3; // of a keV

// The first number; NaN where there is none above 0.
double above_zero(const XradiaFile &file, const char *name) {
    const auto numbers = file.floats(name);
    const double first = numbers.empty() ? 0.0 : std::abs(numbers.front());
    return first > 0.0 && std::isfinite(first) ? first : ScanLayout::unknown;
}

// A number for each image; empty where there are fewer.
std::vector<double> of_images(const XradiaFile &file, const char *name) {
    auto numbers = file.floats(name);
    if (numbers.size() < file.images())
        return {};
    numbers.resize(file.images());
    return numbers;
}

double exposure_of_reference(const XradiaFile &file) {
    for (const char *name :
         {"ReferenceData/ImageInfo/ExpTimes", "ReferenceData/ImageInfo/ExpTime", "ReferenceData/ExpTime"})
        if (const double seconds = above_zero(file, name); std::isfinite(seconds))
            return seconds;
    return ScanLayout::unknown;
}

// Where counts of the reference are not those of the projections.
void look_at_exposures(const XradiaFile &file, ScanLayout &scan) {
    constexpr double same = 1e-3;
    auto seconds = of_images(file, "ImageInfo/ExpTimes");
    if (seconds.empty())
        seconds = file.floats("ImageInfo/ExpTime");
    if (seconds.empty())
        return;
    const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
    if (*least > 0.0 && *most > *least * (1.0 + same))
        scan.warnings.push_back(
            text("projections were exposed for %.4g to %.4g s; their counts are taken as they are", *least,
                 *most));
    const double reference = exposure_of_reference(file);
    if (*most > 0.0 && std::isfinite(reference) && std::abs(reference / *most - 1.0) > same)
        scan.warnings.push_back(
            text("projections were exposed for %.4g s, and the reference for %.4g s: --flat-scale %.6g "
                 "makes them equal, if the microscope did not",
                 *most, reference, *most / reference));
}

} // namespace

ScanLayout find_xradia_scan(const std::string &path) {
    const XradiaFile file(path);
    ScanLayout scan;
    scan.name = "'" + path + "', Zeiss";
    scan.projections.add_file(path, file.images());
    if (const auto all = file.integer("ImageInfo/NoOfImages"); *all > file.images())
        scan.warnings.push_back(text("%zu of %u projections were taken", file.images(), *all));
    if (file.stream("ReferenceData/Image"))
        scan.flats.add_file(path + ":" + xradia_reference, 1);
    for (const double angle : of_images(file, "ImageInfo/Angles"))
        scan.angles.push_back(radians(angle));
    // Shifts are those that undo what displaces the image.
    auto x = of_images(file, "Alignment/X-Shifts"), y = of_images(file, "Alignment/Y-Shifts");
    const auto is_zero = [](double shift) { return shift == 0.0; };
    if (!x.empty() && !y.empty() &&
        !(std::all_of(x.begin(), x.end(), is_zero) && std::all_of(y.begin(), y.end(), is_zero))) {
        for (auto *shifts : {&x, &y})
            std::transform(shifts->begin(), shifts->end(), shifts->begin(),
                           [](double shift) { return -shift; });
        scan.shifts = {std::move(x), std::move(y)};
    }
    // The pixel size is that at the sample.
    scan.pixel_size = above_zero(file, "ImageInfo/PixelSize") * micrometre;
    const double source = above_zero(file, "ImageInfo/StoRADistance"),
                 detector = above_zero(file, "ImageInfo/DtoRADistance");
    scan.distance = detector * millimetre;
    if (std::isfinite(detector))
        scan.source_distance = source * millimetre;
    scan.energy = above_zero(file, "ImageInfo/Energy") * electronvolt;
    look_at_exposures(file, scan);
    for (const char *name : {"AutoRecon/CenterShift", "ReconSettings/CenterShift"})
        if (const double shift = above_zero(file, name); std::isfinite(shift)) {
            scan.warnings.push_back(
                text("the microscope's reconstruction moved the axis by %.4g px from the middle, %g; the "
                     "file does not tell to which side, so the views decide",
                     shift, file.width() / 2.0));
            break;
        }
    return scan;
}

} // namespace tomo::io
