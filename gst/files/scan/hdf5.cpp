// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans in HDF5: which kind it is, and APS Data Exchange (https://dxfile.readthedocs.io).
#ifdef HAVE_HDF5

#include "nxtomo.hpp"
#include <gst/files/hdf5/result.hpp>

#include <cmath>

namespace tomo::io {

namespace {

// `group` is /exchange, or /exchange_1 and so on in a file with several.
ScanLayout data_exchange(const Hdf5Tree &tree, const std::string &group) {
    ScanLayout scan;
    scan.name = "'" + tree.path() + "', Data Exchange" + (group == "/exchange" ? "" : " " + group);
    if (const auto axes = tree.attribute(group + "/data", "axes");
        axes.find("theta") != std::string::npos && axes.find("theta") != 0)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s: the axes of '%s/data' are '%s', but projections are wanted (theta:y:x); "
                         "reorder the dataset first",
                         scan.name.c_str(), group.c_str(), axes.c_str()));
    scan.projections = all_of(tree, group + "/data");
    scan.darks = all_of(tree, group + "/data_dark");
    scan.flats = all_of(tree, group + "/data_white");
    const Names theta = {group + "/theta"};
    scan.angles = angles_at(tree, scan, first_of(tree, theta));
    if (scan.angles.empty())
        check_angles(tree, scan, theta);
    if (const auto axis = tree.numbers(group + "/rotation_axis"); axis.size() == 1 && std::isfinite(axis[0]))
        scan.axis_position = axis[0]; // of this project's files, an edge coordinate
    const std::string instrument = "/measurement/instrument";
    scan.pixel_size =
        quantity(tree, scan, {instrument + "/detection_system/objective/resolution"}, metres, "um");
    if (std::isnan(scan.pixel_size))
        scan.pixel_size = quantity(tree, scan, {instrument + "/detector/pixel_size_x"}, metres, "m");
    scan.energy = quantity(tree, scan, {instrument + "/monochromator/energy"}, kilo_electronvolts, "keV");
    scan.distance =
        quantity(tree, scan, {instrument + "/camera_motor_stack/setup/camera_distance"}, metres, "mm");
    return scan;
}

ScanLayout dataset_alone(const Hdf5Tree &tree, const std::string &dataset) {
    ScanLayout scan;
    scan.name = "'" + tree.path() + ":" + dataset + "'";
    scan.projections = all_of(tree, dataset);
    return scan;
}

} // namespace

static void refuse_detector(const Hdf5Tree &tree, const std::string &detector) {
    if (!detector.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' is Data Exchange, which has no detectors to choose from; detector is '%s'",
                         tree.path().c_str(), detector.c_str()));
}

ScanLayout find_hdf5_scan(const std::string &file, const std::string &group, const std::string &detector,
                          bool follow) {
    const Hdf5Lock lock;
    const Hdf5Tree tree(file);
    if (!group.empty()) {
        const auto entry = group == "/" ? std::string() : group[0] == '/' ? group : "/" + group;
        tree.require_target(entry);
        const auto is_exchange = [&](const std::string &name) {
            return name == "/exchange" ||
                   (name.rfind("/exchange_", 0) == 0 && tree.names_dataset(name + "/data"));
        };
        if (tree.has_dataset(entry)) {
            if (!detector.empty())
                throw Error(GST_RESOURCE_ERROR_SETTINGS,
                            text("'%s:%s' names the images; detector=%s would choose them: give one of them",
                                 file.c_str(), entry.c_str(), detector.c_str()));
            if (last_of(entry) == "data" && is_exchange(parent_of(entry)))
                return data_exchange(tree, parent_of(entry));
            if (const auto scan = entry_of_images(tree, entry))
                return nxtomo(tree, *scan, {}, follow, entry);
            return dataset_alone(tree, entry);
        }
        if (is_exchange(entry)) {
            refuse_detector(tree, detector);
            return data_exchange(tree, entry);
        }
        if (!entry.empty() && !tree.has(entry, Hdf5Node::Kind::Group))
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                        text("'%s': there is no entry '%s'; %s", file.c_str(), entry.c_str(),
                             hdf5_list_datasets(tree.file()).c_str()));
        return nxtomo(tree, entry, detector, follow);
    }
    const NxTomoEntries entries(tree);
    if (!entries.named.empty())
        return nxtomo(tree, choose_entry(tree, entries.named), detector, follow);
    if (tree.names_dataset("/exchange/data")) {
        refuse_detector(tree, detector);
        return data_exchange(tree, "/exchange");
    }
    if (!entries.alike.empty())
        return nxtomo(tree, choose_entry(tree, entries.alike), detector, follow);
    throw Error(
        GST_STREAM_ERROR_WRONG_TYPE,
        text("'%s' holds neither NXtomo nor Data Exchange; name a dataset of projections as in %s:/path, and "
             "where darks and flats are; %s",
             file.c_str(), file.c_str(), hdf5_list_datasets(tree.file()).c_str()));
}

std::vector<double> angles_of_hdf5(const Location &location) {
    const Hdf5Lock lock;
    const Hdf5Tree tree(location.file);
    if (location.dataset.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': no dataset is named for the angles; write it behind a colon, as in %s:/theta",
                         location.file.c_str(), location.file.c_str()));
    tree.require_target(location.dataset);
    if (!tree.has_dataset(location.dataset))
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND, text("'%s': there is no dataset '%s' with angles",
                                                       location.file.c_str(), location.dataset.c_str()));
    tree.require_numbers(location.dataset);
    ScanLayout scan;
    return angles_at(tree, scan, location.dataset);
}

std::optional<double> axis_of_result(const Location &dataset) {
    const Hdf5Lock lock;
    const auto process = hdf5_process_of(dataset.dataset);
    if (process.empty())
        return {};
    const auto axis = Hdf5Tree(dataset.file).numbers(process + "/parameters/axis");
    return axis.size() == 1 && std::isfinite(axis.front()) ? std::optional(axis.front()) : std::nullopt;
}

} // namespace tomo::io

#endif // HAVE_HDF5
