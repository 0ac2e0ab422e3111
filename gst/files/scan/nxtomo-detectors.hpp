// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "hdf5-parts.hpp"

namespace tomo::io {

// Groups of a class or, without one, of a name.
Names groups_of(const Hdf5Tree &tree, const std::string &parent, const char *nx_class, const char *name);

// Where the images of an NXtomo and their keys are.
struct Detector {
    std::string group, data, key;

    bool has_own_key() const { return !group.empty() && key == group + "/image_key"; }
};

std::vector<Detector> detectors_of(const Hdf5Tree &tree, const std::string &entry);

// The one whose images can be read; with image_key of its own where several can. `wanted` names it or is
// empty.
Detector choose_detector(const Hdf5Tree &tree, const ScanLayout &scan, const std::string &entry,
                         const std::string &wanted);

// The key of the detector in `group`, else that of the entry.
std::string key_of(const Hdf5Tree &tree, const std::string &entry, const std::string &group);
// The only one of all detectors, where it is for as many frames: images may stand elsewhere.
std::string only_key_of(const Hdf5Tree &tree, const std::string &entry, std::size_t frames);

} // namespace tomo::io
