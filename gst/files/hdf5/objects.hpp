// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

#include <array>
#include <optional>
#include <string>

// The objects of a file by their paths.
namespace tomo::io {

// The existing part of a path.
struct Hdf5Node {
    enum class Kind { Missing, Dangling, Group, Dataset, Other };
    Kind kind = Kind::Missing;
    std::string existing; // longest part of the path that exists, "/" for the root
    std::string next;     // first part that does not exist
};
Hdf5Node hdf5_look_up(hid_t file, const std::string &path);

// The target of an external link; empty for other links.
std::optional<Location> hdf5_external_target(hid_t root, const std::string &link);

// The part of a message that lists the datasets of a file with two or more dimensions.
std::string hdf5_list_datasets(hid_t file);

// Identity of an object, equal for all handles and names of the object: device and inode of the file, address
// in the file. Empty if it is not known.
using Hdf5Identity = std::array<std::uint64_t, 3>;
std::optional<Hdf5Identity> hdf5_identity(hid_t object);

} // namespace tomo::io
