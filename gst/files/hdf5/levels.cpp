// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "levels.hpp"
#include "objects.hpp"
#include "result.hpp"

namespace tomo::io {

namespace {

bool has_level(hid_t file, const std::string &name) {
    return hdf5_look_up(file, name).next.empty() &&
           H5Aexists_by_name(file, name.c_str(), hdf5_level_attribute, H5P_DEFAULT) > 0;
}

// Calls visit(level) for those that are there.
template <class Visit>
void for_each_level(hid_t file, const std::string &dataset, Visit visit) {
    for (unsigned level = 1; has_level(file, hdf5_level_name(dataset, level)); level++)
        visit(level);
}

} // namespace

std::string hdf5_level_name(const std::string &dataset, unsigned level) {
    return level == 0 ? dataset : dataset + text("_%ux", 1u << level);
}

std::vector<ImageDataset> hdf5_open_levels(hid_t file, const std::string &dataset, const std::string &where) {
    std::vector<ImageDataset> levels;
    for_each_level(file, dataset, [&](unsigned level) {
        const auto name = hdf5_level_name(dataset, level);
        levels.emplace_back(file, name, where + ":" + name);
    });
    return levels;
}

void hdf5_remove_levels(hid_t file, const std::string &dataset) {
    std::vector<std::string> names;
    for_each_level(file, dataset, [&](unsigned level) { names.push_back(hdf5_level_name(dataset, level)); });
    for (const auto &name : names)
        hdf5_check(H5Ldelete(file, name.c_str(), H5P_DEFAULT), GST_RESOURCE_ERROR_WRITE,
                   "cannot replace '" + name + "'");
}

void hdf5_move_levels(hid_t file, const std::string &from, const std::string &to) {
    std::vector<unsigned> levels;
    for_each_level(file, from, [&](unsigned level) { levels.push_back(level); });
    for (const auto level : levels) {
        const auto source = hdf5_level_name(from, level), target = hdf5_level_name(to, level);
        hdf5_check(H5Lmove(file, source.c_str(), file, target.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                   GST_RESOURCE_ERROR_WRITE, "cannot rename '" + source + "' to '" + target + "'");
    }
}

} // namespace tomo::io

#endif // HAVE_HDF5
