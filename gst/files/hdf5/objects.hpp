// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

#include <array>
#include <optional>
#include <string>

// What a file holds under which path.
namespace tomo::io {

// How much of a path exists.
struct Hdf5Node {
    enum class Kind { Missing, Dangling, Group, Dataset, Other };
    Kind kind = Kind::Missing;
    std::string existing; // longest part of the path that exists, "/" for the root
    std::string next;     // the first part that does not
};
Hdf5Node hdf5_look_up(hid_t file, const std::string &path);

// Where an external link leads; nothing where it is none.
std::optional<Location> hdf5_external_target(hid_t root, const std::string &link);

// Adds the part of a message that says which datasets with two or more dimensions a file has.
std::string hdf5_list_datasets(hid_t file);

// What two handles have in common where they stand for one object, by whatever names: device and number of
// the file, address within. Nothing where it can't be told.
using Hdf5Identity = std::array<std::uint64_t, 3>;
std::optional<Hdf5Identity> hdf5_identity(hid_t object);

} // namespace tomo::io
