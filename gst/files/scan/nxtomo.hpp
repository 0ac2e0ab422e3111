// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "hdf5-parts.hpp"

#include <optional>

namespace tomo::io {

// Entries of a file that are marked as NXtomo, and entries that look like it.
struct NxTomoEntries {
    explicit NxTomoEntries(const Hdf5Tree &tree);
    Names named, alike;
};

// The only entry, or the default entry of the file. Throws if there is neither.
std::string choose_entry(const Hdf5Tree &tree, const Names &entries);

// The entry of a dataset of images, which has an image_key or rotation angles for them. Empty if the dataset
// belongs to none.
std::optional<std::string> entry_of_images(const Hdf5Tree &tree, const std::string &dataset);

// `wanted` names the detector or is empty; `dataset` are the images, or empty.
ScanLayout nxtomo(const Hdf5Tree &tree, const std::string &entry, const std::string &wanted, bool follow,
                  const std::string &dataset = {});

} // namespace tomo::io
