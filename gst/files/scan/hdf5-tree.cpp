// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#ifdef HAVE_HDF5

#include "hdf5-tree.hpp"
#include "layout.hpp"
#include "text-table.hpp"
#include <gst/files/hdf5/types.hpp>

#include <algorithm>

namespace tomo::io {

namespace {

// What read() gives for a single string, without blanks behind it; empty where there is something else.
template <class Read>
std::string single_string(hid_t type, hid_t space, Read read) {
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
        return {};
    std::string result;
    if (H5Tis_variable_str(type) > 0) {
        char *word = nullptr;
        const Hdf5Handle memory(H5Tcopy(type), H5Tclose);
        if (read(memory.get(), &word) < 0 || !word)
            return {};
        result = word;
        H5free_memory(word);
    } else {
        constexpr std::size_t most = 1 << 16; // of a word
        if (H5Tget_size(type) > most)
            return {};
        result.resize(H5Tget_size(type));
        if (read(type, result.data()) < 0)
            return {};
        result.resize(std::min(result.size(), result.find('\0')));
    }
    const auto end = result.find_last_not_of(" \t\n");
    return end == std::string::npos ? std::string() : result.substr(0, end + 1);
}

// All strings of a dataset that is not too large for that.
Names strings_in(hid_t data, hid_t type, std::size_t count, const std::string &where) {
    Names strings;
    const auto failed = where + " can't be read";
    const auto size = H5Tget_size(type);
    std::uint64_t bytes = 0;
    if (!multiply({count, size}, bytes))
        throw Error(GST_STREAM_ERROR_DECODE, where + " claims to hold more than any file; it is damaged");
    hdf5_check_storage(data, bytes, where);
    if (H5Tis_variable_str(type) > 0) {
        std::vector<char *> words(count, nullptr);
        hdf5_check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, words.data()), GST_RESOURCE_ERROR_READ,
                   failed);
        for (char *word : words) {
            strings.push_back(word ? word : "");
            H5free_memory(word);
        }
        return strings;
    }
    std::string all(bytes, '\0');
    hdf5_check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()), GST_RESOURCE_ERROR_READ,
               failed);
    for (std::size_t i = 0; i < count; i++) {
        const auto word = all.substr(i * size, size);
        strings.push_back(word.substr(0, word.find('\0')));
    }
    return strings;
}

} // namespace

Hdf5Tree::Hdf5Tree(const std::string &path) : path_(path), file_(hdf5_open(path, false)) {}

bool Hdf5Tree::has(const std::string &object, Hdf5Node::Kind kind) const {
    const auto node = hdf5_look_up(file(), object);
    return node.kind == kind && node.next.empty();
}

bool Hdf5Tree::names_dataset(const std::string &object) const {
    return has_dataset(object) || hdf5_look_up(file(), object).kind == Hdf5Node::Kind::Dangling;
}

bool Hdf5Tree::is_stack(const std::string &object) const {
    if (!has_dataset(object))
        return false;
    const auto data = hdf5_open_dataset(file(), object);
    const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
    return data && type && hdf5_shape(data.get()).size() >= 3 &&
           hdf5_memory_type(type.get()).format != GST_TOMO_FORMAT_UNKNOWN;
}

std::size_t Hdf5Tree::count_of_list(const std::string &object) const {
    if (!has_dataset(object))
        return 0;
    const auto shape = hdf5_shape(hdf5_open_dataset(file(), object).get());
    return shape.size() == 1 ? static_cast<std::size_t>(shape[0]) : 0;
}

std::optional<Hdf5Identity> Hdf5Tree::identity(const std::string &group) const {
    const Hdf5Handle opened(H5Oopen(file(), group.empty() ? "/" : group.c_str(), H5P_DEFAULT), H5Oclose);
    return hdf5_identity(opened.get());
}

void Hdf5Tree::require_target(const std::string &object) const {
    const auto node = hdf5_look_up(file(), object);
    if (node.kind != Hdf5Node::Kind::Dangling)
        return;
    const auto place = hdf5_external_target(file(), node.next);
    const auto target = place ? text(" '%s' of the file '%s'", place->dataset.c_str(), place->file.c_str())
                              : std::string(" something");
    throw NotYet(GST_RESOURCE_ERROR_NOT_FOUND,
                 text("'%s': '%s' is a link to%s, which can't be found; put that file there or beside '%s'",
                      path_.c_str(), node.next.c_str(), target.c_str(), path_.c_str()));
}

std::vector<double> Hdf5Tree::numbers(const std::string &dataset) const {
    require_target(dataset);
    if (!has_dataset(dataset))
        return {};
    const auto data = hdf5_open_dataset(file(), dataset);
    const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
    const auto type_class = H5Tget_class(type.get());
    if (type_class != H5T_INTEGER && type_class != H5T_FLOAT && type_class != H5T_STRING)
        return {};
    const Hdf5Handle space(H5Dget_space(data.get()), H5Sclose);
    const auto count = H5Sget_simple_extent_npoints(space.get());
    const auto where = text("'%s': '%s'", path_.c_str(), dataset.c_str());
    check_image_count(where, static_cast<std::uint64_t>(count)); // it is for an image each
    if (type_class == H5T_STRING)
        return numbers_in_strings(data.get(), type.get(), static_cast<std::size_t>(count), where);
    if (count > 0)
        hdf5_check_storage(data.get(), std::uint64_t(count) * sizeof(double), where);
    std::vector<double> values(static_cast<std::size_t>(count));
    if (count > 0)
        hdf5_check(H5Dread(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
                   GST_RESOURCE_ERROR_READ, where + " can't be read");
    return values;
}

std::vector<double> Hdf5Tree::numbers_in_strings(hid_t data, hid_t type, std::size_t count,
                                                 const std::string &where) const {
    std::vector<double> numbers;
    for (const auto &string : count > 0 ? strings_in(data, type, count, where) : Names()) {
        const auto found = numbers_in_words(string);
        if (!found || found->empty())
            return {};
        numbers.insert(numbers.end(), found->begin(), found->end());
    }
    return numbers;
}

void Hdf5Tree::require_numbers(const std::string &dataset) const {
    require_target(dataset);
    const auto data = hdf5_open_dataset(file(), dataset);
    const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
    const auto type_class = H5Tget_class(type.get());
    const bool are_strings = type_class == H5T_STRING;
    if (type_class == H5T_INTEGER || type_class == H5T_FLOAT || (are_strings && !numbers(dataset).empty()))
        return;
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("'%s': numbers are wanted in '%s', which has %s%s", path_.c_str(), dataset.c_str(),
                     hdf5_describe_type(type.get()).c_str(), are_strings ? " that are no numbers" : ""));
}

std::string Hdf5Tree::words(const std::string &dataset) const {
    if (!has_dataset(dataset))
        return {};
    const auto data = hdf5_open_dataset(file(), dataset);
    const Hdf5Handle type(H5Dget_type(data.get()), H5Tclose);
    const Hdf5Handle space(H5Dget_space(data.get()), H5Sclose);
    return single_string(type.get(), space.get(), [&](hid_t memory, void *to) {
        return H5Dread(data.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
    });
}

std::string Hdf5Tree::attribute(const std::string &object, const char *name) const {
    if (H5Aexists_by_name(file(), object.c_str(), name, H5P_DEFAULT) <= 0)
        return {};
    const Hdf5Handle data(H5Aopen_by_name(file(), object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const Hdf5Handle type(H5Aget_type(data.get()), H5Tclose);
    const Hdf5Handle space(H5Aget_space(data.get()), H5Sclose);
    return single_string(type.get(), space.get(),
                         [&](hid_t memory, void *to) { return H5Aread(data.get(), memory, to); });
}

Names Hdf5Tree::children(const std::string &group) const {
    constexpr std::size_t most = 10000;
    struct Found {
        Names names;
        static herr_t add(hid_t, const char *name, const H5L_info_t *, void *to) {
            auto &names = static_cast<Found *>(to)->names;
            names.push_back(name);
            return names.size() >= most;
        }
    } found;
    constexpr std::size_t most_in_all = 100000; // many links may lead to one group
    if (listed_ > most_in_all)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("'%s' has too many groups to look for a scan in; name it as entry", path_.c_str()));
    const Hdf5Handle opened(H5Gopen2(file(), group.empty() ? "/" : group.c_str(), H5P_DEFAULT), H5Gclose);
    if (opened)
        H5Literate(opened.get(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, Found::add, &found);
    listed_ += 1 + found.names.size();
    std::sort(found.names.begin(), found.names.end());
    for (auto &name : found.names)
        name = group + "/" + name;
    return found.names;
}

Names Hdf5Tree::groups(const std::string &group) const {
    Names found;
    for (const auto &name : children(group))
        if (has(name, Hdf5Node::Kind::Group))
            found.push_back(name);
    return found;
}

} // namespace tomo::io

#endif // HAVE_HDF5
