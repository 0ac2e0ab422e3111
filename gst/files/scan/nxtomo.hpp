// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "hdf5-parts.hpp"

#include <optional>

namespace tomo::io {

// Entries of a file that say that they are NXtomo, and those that look like it.
struct NxTomoEntries {
    explicit NxTomoEntries(const Hdf5Tree &tree);
    Names named, alike;
};

// The only one, or that which the file names as the usual one.
std::string choose_entry(const Hdf5Tree &tree, const Names &entries);

// The entry that a dataset of images belongs to, with an image_key or a rotation angle for it. Nothing where
// it stands for itself.
std::optional<std::string> entry_of_images(const Hdf5Tree &tree, const std::string &dataset);

// `wanted` names the detector or is empty; `dataset` are the images, or empty.
ScanLayout nxtomo(const Hdf5Tree &tree, const std::string &entry, const std::string &wanted, bool follow,
                  const std::string &dataset = {});

} // namespace tomo::io
