// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_HDF5

#include "nxtomo-detectors.hpp"

#include <algorithm>
#include <iterator>

namespace tomo::io {

Names groups_of(const Hdf5Tree &tree, const std::string &parent, const char *nx_class, const char *name) {
    Names found;
    for (const auto &group : tree.groups(parent))
        if (tree.attribute(group, "NX_class") == nx_class || group == parent + "/" + name)
            found.push_back(group);
    return found;
}

std::string key_of(const Hdf5Tree &tree, const std::string &entry, const std::string &group) {
    for (const auto &key : {group + "/image_key", entry + "/data/image_key"})
        if (tree.names_dataset(key))
            return key;
    return {};
}

std::string only_key_of(const Hdf5Tree &tree, const std::string &entry, std::size_t frames) {
    Names keys;
    for (const auto &instrument : groups_of(tree, entry, "NXinstrument", "instrument"))
        for (const auto &group : tree.groups(instrument))
            if (tree.has_dataset(group + "/image_key"))
                keys.push_back(group + "/image_key");
    return keys.size() == 1 && tree.count_of_list(keys[0]) == frames ? keys[0] : std::string();
}

// Datasets that may be a detector's images, or are to be where a link leads.
static Names images_of_detector(const Hdf5Tree &tree, const std::string &entry, const std::string &instrument,
                                const std::string &group) {
    // Some keep them in a group of the entry with the detector's name.
    for (const auto &data : {group + "/data", entry + group.substr(instrument.size()) + "/data"})
        if (hdf5_look_up(tree.file(), data).kind != Hdf5Node::Kind::Missing)
            return {data};
    Names found;
    if (tree.attribute(group, "NX_class") == "NXdetector")
        for (const auto &child : tree.children(group))
            if (tree.is_stack(child))
                found.push_back(child);
    return found;
}

std::vector<Detector> detectors_of(const Hdf5Tree &tree, const std::string &entry) {
    std::vector<Detector> found;
    for (const auto &instrument : groups_of(tree, entry, "NXinstrument", "instrument"))
        for (const auto &group : tree.groups(instrument)) {
            const auto images = images_of_detector(tree, entry, instrument, group);
            if (images.size() != 1 || !tree.names_dataset(images[0]))
                continue;
            const Detector detector{group, images[0], key_of(tree, entry, group)};
            if (detector.has_own_key() || tree.attribute(group, "NX_class") == "NXdetector")
                found.push_back(detector);
        }
    return found;
}

// Images that stand in an NXdata of the entry, as they do where a detector is a link that leads nowhere.
static std::vector<Detector> shown_images_of(const Hdf5Tree &tree, const std::string &entry) {
    std::vector<Detector> found;
    for (const auto &group : groups_of(tree, entry, "NXdata", "data")) {
        const auto signal = tree.attribute(group, "signal");
        const auto data = group + "/" + (signal.empty() ? "data" : signal);
        if (tree.is_stack(data))
            found.push_back({group, data, key_of(tree, entry, group)});
    }
    return found;
}

Detector choose_detector(const Hdf5Tree &tree, const ScanLayout &scan, const std::string &entry,
                         const std::string &wanted) {
    auto detectors = detectors_of(tree, entry);
    if (detectors.empty())
        detectors = shown_images_of(tree, entry);
    if (detectors.empty())
        throw Error(GST_STREAM_ERROR_FORMAT, scan.name +
                                                 ": there is no detector with data below the instrument; " +
                                                 hdf5_list_datasets(tree.file()));
    const auto names_of = [](const std::vector<Detector> &list) {
        Names names;
        for (const auto &detector : list)
            names.push_back(detector.group);
        return list_of(names);
    };
    if (!wanted.empty()) {
        const auto chosen = std::find_if(detectors.begin(), detectors.end(), [&](const Detector &detector) {
            return detector.group == wanted || detector.group == "/" + wanted ||
                   last_of(detector.group) == wanted;
        });
        if (chosen == detectors.end())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("%s has no detector '%s' with images; there are %s", scan.name.c_str(),
                             wanted.c_str(), names_of(detectors).c_str()));
        return *chosen;
    }
    std::vector<Detector> readable, keyed;
    for (const auto &detector : detectors)
        if (tree.is_stack(detector.data))
            readable.push_back(detector);
    if (readable.empty())
        return detectors[0]; // of which will be told what is wrong with it
    std::copy_if(readable.begin(), readable.end(), std::back_inserter(keyed),
                 [](const Detector &detector) { return detector.has_own_key(); });
    if (readable.size() > 1 && keyed.size() != 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s has several detectors with images (%s); choose one by the property detector",
                         scan.name.c_str(), names_of(readable).c_str()));
    return keyed.size() == 1 ? keyed[0] : readable[0];
}

} // namespace tomo::io

#endif // HAVE_HDF5
