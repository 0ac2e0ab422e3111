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

// Groups and datasets of a scan's file, read as numbers and words. Missing ones are empty.
class Hdf5Tree {
  public:
    explicit Hdf5Tree(const std::string &path);

    hid_t file() const { return file_.get(); }
    const std::string &path() const { return path_; }

    bool has(const std::string &object, Hdf5Node::Kind kind) const;
    bool has_dataset(const std::string &object) const { return has(object, Hdf5Node::Kind::Dataset); }
    // Whether there is a dataset or a broken link.
    bool names_dataset(const std::string &object) const;
    // Whether it is a dataset of images.
    bool is_stack(const std::string &object) const;
    // Number of items of a dataset with one dimension; 0 for other objects.
    std::size_t count_of_list(const std::string &object) const;
    std::optional<Hdf5Identity> identity(const std::string &group) const;

    // Throws on a broken link, whose data would otherwise count as missing.
    void require_target(const std::string &object) const;

    // Numbers, also written as strings, each of which may be a list. Empty if there are other items.
    std::vector<double> numbers(const std::string &dataset) const;
    // Throws an Error that names the contents if they are not numbers.
    void require_numbers(const std::string &dataset) const;

    // A single string.
    std::string words(const std::string &dataset) const;
    std::string attribute(const std::string &object, const char *name) const;

    // Paths, in the order of the names.
    Names children(const std::string &group) const;
    Names groups(const std::string &group) const;

  private:
    // The same for a dataset of strings.
    std::vector<double> numbers_in_strings(hid_t data, hid_t type, std::size_t count,
                                           const std::string &where) const;

    std::string path_;
    Hdf5Handle file_;
    mutable std::size_t listed_ = 0; // objects that children() has listed so far
};

} // namespace tomo::io
