// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "hdf5-parts.hpp"

namespace tomo::io {

// Groups in `parent` that have the NeXus class, or the name.
Names groups_of(const Hdf5Tree &tree, const std::string &parent, const char *nx_class, const char *name);

// Paths of a detector's images and of their keys in an NXtomo.
struct Detector {
    std::string group, data, key;

    bool has_own_key() const { return !group.empty() && key == group + "/image_key"; }
};

std::vector<Detector> detectors_of(const Hdf5Tree &tree, const std::string &entry);

// The detector with readable images; if there are several, the one with its own image_key. `wanted` names it
// or is empty.
Detector choose_detector(const Hdf5Tree &tree, const ScanLayout &scan, const std::string &entry,
                         const std::string &wanted);

// The key of the detector in `group`, else that of the entry.
std::string key_of(const Hdf5Tree &tree, const std::string &entry, const std::string &group);
// The only key of all detectors, if it has this number of frames: the images may be elsewhere.
std::string only_key_of(const Hdf5Tree &tree, const std::string &entry, std::size_t frames);

} // namespace tomo::io
