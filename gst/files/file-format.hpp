// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/support/error.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>

// File formats, paths of files and of datasets in them, and errors of the system.
namespace tomo::io {

enum class FileType { Automatic, Tiff, Hdf5, Raw, Edf, Jpeg, Png, Pnm, Npy, Zarr, Xradia };

// The parts of "scan.h5:/entry/data/data", or of "slices.ome.zarr:/1".
struct Location {
    std::string file;
    std::string dataset; // absolute, without a slash at the end; empty if the path names none

    std::string text() const { return dataset.empty() ? file : file + ":" + dataset; }
};

// Splits at the colon after a suffix of HDF5, Zarr or Zeiss, or at the first ":/" where the type is forced to
// HDF5. Wildcards and number patterns in the path stay as they are.
Location split_location(const std::string &path, FileType forced = FileType::Automatic);

// The format of the suffix of `file`; Automatic if no format has it.
FileType type_of_suffix(const std::string &file);

// The format of a file for reading or writing: the forced one, else that of the suffix. Throws if there is
// none.
FileType require_type(const std::string &file, FileType forced);

const char *type_name(FileType type);
std::string supported_suffixes(); // ".tif .tiff ..."

// The error for a format that was left out at build time.
Error not_built_in(FileType type, const std::string &file);

// Whether both paths (without datasets) lead to the same existing file, under any names.
bool same_file(const std::string &a, const std::string &b);

// "<what>: <meaning of errno>", with a remedy if one is known. `otherwise` is the code if errno has no better
// one.
Error system_error(const std::string &what, int number, GstResourceError otherwise);
// The same for "cannot <action> '<path>'".
Error system_error(const std::string &action, const std::string &path, int number,
                   GstResourceError otherwise);

// An error for data that may still come while a file is written.
class NotYet : public Error {
  public:
    using Error::Error;
};

// Computes the product; false if it overflows.
bool multiply(std::initializer_list<std::uint64_t> factors, std::uint64_t &product);

// Added to the dataset of a volume, the name of a level of its pyramid, which is counted from 1.
std::string level_suffix(FileType type, unsigned level);

} // namespace tomo::io
