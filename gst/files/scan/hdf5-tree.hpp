// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/hdf5/file.hpp>
#include <gst/files/hdf5/objects.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tomo::io {

using Names = std::vector<std::string>;

// A file of a scan as its groups and datasets, read as numbers and words. Missing ones are empty.
class Hdf5Tree {
  public:
    explicit Hdf5Tree(const std::string &path);

    hid_t file() const { return file_.get(); }
    const std::string &path() const { return path_; }

    bool has(const std::string &object, Hdf5Node::Kind kind) const;
    bool has_dataset(const std::string &object) const { return has(object, Hdf5Node::Kind::Dataset); }
    // Or a link that leads nowhere.
    bool names_dataset(const std::string &object) const;
    // Whether there are images in it, of numbers.
    bool is_stack(const std::string &object) const;
    // How many items a dataset with one dimension has; 0 for all else.
    std::size_t count_of_list(const std::string &object) const;
    std::optional<Hdf5Identity> identity(const std::string &group) const;

    // A link that leads nowhere is told, instead of taking the data for missing.
    void require_target(const std::string &object) const;

    // Numbers, also written as strings, each of which may be a list. None where there is something else.
    std::vector<double> numbers(const std::string &dataset) const;
    // Says what there is instead.
    void require_numbers(const std::string &dataset) const;

    // A single string.
    std::string words(const std::string &dataset) const;
    std::string attribute(const std::string &object, const char *name) const;

    // By their paths, in the order of their names.
    Names children(const std::string &group) const;
    Names groups(const std::string &group) const;

  private:
    // Of a dataset of strings.
    std::vector<double> numbers_in_strings(hid_t data, hid_t type, std::size_t count,
                                           const std::string &where) const;

    std::string path_;
    Hdf5Handle file_;
    mutable std::size_t listed_ = 0; // by children()
};

} // namespace tomo::io
