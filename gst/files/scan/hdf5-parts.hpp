// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "hdf5-tree.hpp"
#include "layout.hpp"

// Functions for every kind of scan in HDF5.
namespace tomo::io {

// The first of these datasets that holds numbers.
std::string first_of(const Hdf5Tree &tree, const Names &datasets);

// A single number with a unit that `factor` knows; ScanLayout::unknown if no dataset has it.
double quantity(const Hdf5Tree &tree, ScanLayout &scan, const Names &datasets,
                double (*factor)(const std::string &), const char *usual_unit);

struct ImagesInDataset {
    std::size_t count;
    hsize_t width;
};
ImagesInDataset images_in(const Hdf5Tree &tree, const std::string &dataset);
ScanImages all_of(const Hdf5Tree &tree, const std::string &dataset);

// In radians.
std::vector<double> angles_at(const Hdf5Tree &tree, ScanLayout &scan, const std::string &dataset);
// Notes in `scan` if one of these datasets has angles that can't be used.
void check_angles(const Hdf5Tree &tree, ScanLayout &scan, const Names &datasets);

std::string parent_of(const std::string &path);
std::string last_of(const std::string &path);
std::string list_of(const Names &names); // for messages

} // namespace tomo::io
