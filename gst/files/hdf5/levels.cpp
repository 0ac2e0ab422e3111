// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "levels.hpp"
#include "objects.hpp"
#include "result.hpp"
#include <gst/files/halving.hpp>

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
    return level == 0 ? dataset : dataset + level_suffix(FileType::Hdf5, level);
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

void Hdf5Levels::begin(const StreamPyramid &pyramid, ImageDataset &images,
                       const std::optional<ValueRange> &grey) {
    open(pyramid);
    for (unsigned level = 1; level < pyramid.levels(); level++) {
        if (levels_.size() < level)
            levels_.push_back(make(level, pyramid.image(level), grey));
        auto &to = levels_[level - 1];
        const auto whole = images.images() >> level;
        if (to.images() > whole && !to.cut(whole))
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + full_name(level) + "'");
        while (to.images() < whole)
            add_missing(level, level == 1 ? images : levels_[level - 2]);
    }
}

// Those that are there, unless an interrupted run with other images left them.
void Hdf5Levels::open(const StreamPyramid &pyramid) {
    const auto dataset = target_.dataset();
    bool are_alike = true;
    for_each_level(target_.file(), dataset, [&](unsigned level) {
        levels_.emplace_back(target_.file(), hdf5_level_name(dataset, level), full_name(level));
        are_alike = are_alike && level < pyramid.levels() && levels_.back().image() == pyramid.image(level);
    });
    if (are_alike)
        return;
    levels_.clear();
    hdf5_remove_levels(target_.file(), dataset);
}

ImageDataset Hdf5Levels::make(unsigned level, const ArrayInfo &image, const std::optional<ValueRange> &grey) {
    const auto length = options_.length ? options_.length() : StreamLength{};
    auto images = length.announced;
    for (unsigned before = 0; images && before < level; before++)
        images = half_of(*images);
    target_.reserve(0);
    const auto name = hdf5_level_name(target_.dataset(), level);
    target_.make_room_for(name);
    ImageDataset made(target_.file(), name, image, level_layout(image, options_, images), full_name(level));
    hdf5_sign_level(made.get(), 1u << level, target_.location().dataset);
    if (grey)
        hdf5_set_range(made.get(), *grey);
    return made;
}

// An image that an interrupted run did not come to, or that was made without levels.
void Hdf5Levels::add_missing(unsigned level, ImageDataset &from) {
    auto &to = levels_[level - 1];
    const auto &image = from.image();
    std::vector<double> first(image.size() / sizeof(double) + 1), second(first.size()),
        made(to.image().size() / sizeof(double) + 1); // so that samples of all types are aligned
    if (!from.read(2 * to.images(), first.data()) || !from.read(2 * to.images() + 1, second.data()))
        throw hdf5_error(GST_RESOURCE_ERROR_READ, "cannot read '" + full_name(level - 1) + "'");
    halve_images(image.format, first.data(), second.data(), image.height, image.width, made.data());
    write(level, made.data());
}

void Hdf5Levels::write(unsigned level, const void *samples) {
    hdf5_append(target_, levels_.at(level - 1), samples, nullptr, full_name(level));
}

void Hdf5Levels::complete() {
    for (unsigned level = 1; level <= levels_.size(); level++)
        hdf5_complete(target_, levels_[level - 1], full_name(level));
}

void Hdf5Levels::name() {
    const bool are_made = !levels_.empty();
    for (unsigned level = 1; level <= levels_.size(); level++)
        if (!levels_[level - 1].close())
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + full_name(level) + "'");
    levels_.clear();
    const auto from = target_.dataset(), &to = target_.location().dataset;
    if (from != to)
        hdf5_remove_levels(target_.file(), to);
    if (!are_made)
        hdf5_remove_levels(target_.file(), from);
    else if (from != to)
        hdf5_move_levels(target_.file(), from, to);
}

void Hdf5Levels::cut_to_whole_images() {
    for (unsigned level = 1; level <= levels_.size(); level++) {
        auto &images = levels_[level - 1];
        try {
            hdf5_complete(target_, images, full_name(level));
        } catch (const Error &) {
            images.forget_group();
        }
        if (!images.cut_to_whole_images(target_.file(), hdf5_level_name(target_.dataset(), level)))
            H5Eclear2(H5E_DEFAULT); // a later run does that
    }
}

} // namespace tomo::io

#endif // HAVE_HDF5
