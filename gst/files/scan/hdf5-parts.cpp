// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_HDF5

#include "hdf5-parts.hpp"

#include <algorithm>
#include <cmath>

namespace tomo::io {

// The first of these datasets that holds numbers.
std::string first_of(const Hdf5Tree &tree, const Names &datasets) {
    for (const auto &dataset : datasets)
        if (!tree.numbers(dataset).empty())
            return dataset;
    return {};
}

// A single number with a unit that `factor` knows; unknown where nobody says it.
double quantity(const Hdf5Tree &tree, ScanLayout &scan, const Names &datasets,
                double (*factor)(const std::string &), const char *usual_unit) {
    for (const auto &dataset : datasets) {
        try {
            const auto values = tree.numbers(dataset);
            if (values.empty() && tree.has_dataset(dataset))
                tree.require_numbers(dataset);
            if (values.empty() || !std::isfinite(values[0]))
                continue;
            const auto units = tree.attribute(dataset, "units");
            return values[0] * factor(units.empty() ? usual_unit : units);
        } catch (const Error &error) {
            scan.warnings.push_back(text("%s (%s); it counts as unknown", error.what(), dataset.c_str()));
        }
    }
    return ScanLayout::unknown;
}

ImagesInDataset images_in(const Hdf5Tree &tree, const std::string &dataset) {
    const auto data = hdf5_open_dataset(tree.file(), dataset);
    hdf5_check(data.get(), GST_RESOURCE_ERROR_OPEN_READ,
               text("'%s': '%s' can't be opened", tree.path().c_str(), dataset.c_str()));
    const auto shape = hdf5_shape(data.get());
    const auto rank = shape.size();
    if (rank == 2)
        return {1, shape[1]};
    if (rank < 2 || std::any_of(shape.begin(), shape.end() - 3, [](hsize_t extent) { return extent != 1; }))
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("'%s': '%s' has %s samples; images of a scan are three-dimensional (images, rows, columns)",
                 tree.path().c_str(), dataset.c_str(), hdf5_shape_text(shape).c_str()));
    check_image_count(text("'%s': '%s'", tree.path().c_str(), dataset.c_str()), shape[rank - 3]);
    return {shape[rank - 3], shape[rank - 1]};
}

ScanImages all_of(const Hdf5Tree &tree, const std::string &dataset) {
    ScanImages found;
    tree.require_target(dataset);
    if (!tree.has_dataset(dataset))
        return found;
    found.type = FileType::Hdf5;
    found.add_file(tree.path() + ":" + dataset, images_in(tree, dataset).count);
    return found;
}

std::vector<double> angles_at(const Hdf5Tree &tree, ScanLayout &scan, const std::string &dataset) {
    if (dataset.empty())
        return {};
    try {
        const auto numbers = tree.numbers(dataset);
        const auto units = tree.attribute(dataset, "units");
        auto angles = angles_in_radians(numbers, units);
        const auto is_kept = [](double a, double b) { return a == b || std::isnan(a); };
        if (units.empty() && numbers.size() > 1 &&
            std::equal(numbers.begin(), numbers.end(), angles.begin(), is_kept))
            scan.warnings.push_back(
                text("'%s' has no unit; its values cover a turn or half a turn in radians, so they count as "
                     "radians",
                     dataset.c_str()));
        return angles;
    } catch (const Error &error) {
        throw Error(error.domain, error.code,
                    text("'%s': '%s': %s", tree.path().c_str(), dataset.c_str(), error.what()));
    }
}

void check_angles(const Hdf5Tree &tree, ScanLayout &scan, const Names &datasets) {
    for (const auto &dataset : datasets)
        try {
            if (tree.has_dataset(dataset))
                tree.require_numbers(dataset);
        } catch (const Error &error) {
            scan.unusable_angles = error.what() + std::string("; name other angles by the property angles");
        }
}

std::string parent_of(const std::string &path) { return path.substr(0, path.rfind('/')); }
std::string last_of(const std::string &path) { return path.substr(path.rfind('/') + 1); }

std::string list_of(const Names &names) {
    std::string list;
    for (const auto &name : names)
        list += (list.empty() ? "'" : ", '") + (name.empty() ? "/" : name) + "'";
    return list;
}

} // namespace tomo::io

#endif // HAVE_HDF5
