// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_HDF5

#include "nxtomo-frames.hpp"
#include "nxtomo-detectors.hpp"

#include <algorithm>
#include <cmath>

namespace tomo::io {

namespace {

// Of the projections, from the numbers of all frames or of projections alone. Empty where it stood still.
std::vector<double> moves(const std::vector<double> &numbers, const ScanImages &projections,
                          std::size_t frames) {
    std::vector<double> found;
    if (numbers.size() != frames && numbers.size() != projections.images.size())
        return found;
    for (std::size_t i = 0; i < projections.images.size(); i++)
        found.push_back(numbers[numbers.size() == frames ? projections.images[i].number : i]);
    const double first = found.empty() ? 0.0 : found.front();
    for (auto &place : found)
        place -= first;
    if (std::all_of(found.begin(), found.end(), [](double move) { return move == 0.0; }))
        found.clear();
    return found;
}

// Place of the first projection in pixels; unknown where it is in metres and the size of a pixel is not
// known.
double first_place(const Hdf5Tree &tree, const ScanLayout &scan, const std::string &dataset,
                   std::size_t frames, double pixel) {
    const auto numbers = tree.numbers(dataset);
    if (numbers.empty() || scan.projections.empty())
        return ScanLayout::unknown;
    const auto number = scan.projections.images.front().number;
    const double place = numbers[numbers.size() == frames ? number : 0];
    const auto units = tree.attribute(dataset, "units");
    try {
        const double metre = metres(units.empty() ? "m" : units); // NaN: pixels
        return std::isnan(metre) ? place : place * metre / pixel;
    } catch (const Error &) { // that the unit is none counts where the place does
        return ScanLayout::unknown;
    }
}

} // namespace

void read_stage(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames,
                double pixel_height) {
    scan.stage_y = first_place(tree, scan, entry + "/sample/y_translation", frames, pixel_height);
    scan.stage_z = first_place(tree, scan, entry + "/sample/z_translation", frames, pixel_height);
}

void read_translations(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames,
                       double pixel_width, double pixel_height) {
    struct Direction {
        const char *name;
        double pixel, sign; // rows go down, y goes up
        std::vector<double> &to;
    } const directions[] = {{"x_translation", pixel_width, 1.0, scan.shifts.x},
                            {"y_translation", pixel_height, -1.0, scan.shifts.y}};
    for (const auto &direction : directions) {
        if (!scan.unusable_shifts.empty())
            break;
        const auto dataset = entry + "/sample/" + direction.name;
        const auto numbers = tree.numbers(dataset);
        if (numbers.size() < 2)
            continue; // one place for all
        auto found = moves(numbers, scan.projections, frames);
        if (found.empty()) {
            if (numbers.size() != frames && numbers.size() != scan.projections.images.size())
                scan.unusable_shifts =
                    text("%s has %zu values, but there are %zu frames and %zu projections of them",
                         dataset.c_str(), numbers.size(), frames, scan.projections.images.size());
            continue;
        }
        const auto units = tree.attribute(dataset, "units");
        double scale = 0.0;
        try {
            const double metre = metres(units.empty() ? "m" : units); // NaN: pixels
            scale = std::isnan(metre) ? 1.0 : metre / direction.pixel;
        } catch (const Error &error) {
            scan.unusable_shifts = text("%s changes, but has %s", dataset.c_str(), error.what());
            continue;
        }
        for (auto &move : found)
            move *= direction.sign * scale;
        if (!std::all_of(found.begin(), found.end(), [](double move) { return std::isfinite(move); }))
            scan.unusable_shifts = std::isfinite(scale)
                                       ? text("%s has values that are not finite", dataset.c_str())
                                       : text("%s changes in %s, but the size of a pixel is not known",
                                              dataset.c_str(), units.empty() ? "metres" : units.c_str());
        else
            direction.to = std::move(found);
    }
    auto &[x, y] = scan.shifts;
    if (!scan.unusable_shifts.empty())
        x = y = {};
    x.resize(std::max(x.size(), y.size()), 0.0);
    y.resize(x.size(), 0.0);
}

void read_monitor(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames) {
    for (const auto &group : groups_of(tree, entry, "NXmonitor", "control")) {
        const auto values = tree.numbers(group + "/data");
        if (values.size() < 2)
            continue;
        if (values.size() == frames) {
            scan.beam = values;
            return;
        }
        scan.warnings.push_back(text("the monitor '%s/data' has %zu values, but there are %zu frames; it is "
                                     "not used",
                                     group.c_str(), values.size(), frames));
    }
}

} // namespace tomo::io

#endif // HAVE_HDF5
