// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-dataset.hpp"

#include <vector>

// The pyramid beside a dataset NAME of images x rows x columns: NAME_2x, NAME_4x, ... with means of 2 x 2 x 2
// samples of the one before. Level 0 is the dataset itself. The caller holds Hdf5Lock.
namespace tomo::io {

std::string hdf5_level_name(const std::string &dataset, unsigned level);

// Opens the levels that are there.
std::vector<ImageDataset> hdf5_open_levels(hid_t file, const std::string &dataset, const std::string &where);

void hdf5_remove_levels(hid_t file, const std::string &dataset);
// Gives the levels of one dataset the names of those of another one, which has none.
void hdf5_move_levels(hid_t file, const std::string &from, const std::string &to);

} // namespace tomo::io
