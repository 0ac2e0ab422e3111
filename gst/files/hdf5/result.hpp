// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"
#include <gst/files/image-writer.hpp>

// Attributes and groups beside a result in an HDF5 file. Layout: the NeXus definitions NXtomoproc, NXdata and
// NXprocess.
namespace tomo::io {

// Writes attributes of the dataset: the program that made it, and the pipeline.
void hdf5_sign_dataset(hid_t dataset, const ResultFacts &facts);

// The range of values for the integers of a dataset, as attributes, ...
void hdf5_set_range(hid_t dataset, const ValueRange &range);
std::optional<ValueRange> hdf5_range_of(hid_t dataset);
// ... or, if each image has a range of its own, as two more datasets, NAME_grey_minimum and
// NAME_grey_maximum. An empty list removes those of an older dataset.
void hdf5_write_ranges(hid_t file, hid_t dataset, const std::string &name,
                       const std::vector<ValueRange> &ranges);

// Writes what a level of a pyramid is: how many samples of the volume of that name stand behind one along
// each axis.
void hdf5_sign_level(hid_t dataset, unsigned factor, const std::string &volume);
inline constexpr char hdf5_level_attribute[] = "pyramid_factor";

// Makes a virtual dataset NAME_volumes, which shows a dataset of images x rows x columns as volumes of this
// many images. One that an earlier run left is replaced or, with 0, removed; without a whole volume there is
// none. What others have under that name stays.
void hdf5_write_volumes(hid_t file, const std::string &name, unsigned images_per_volume);
// Throws where something else has that name, so that there is no place for such a view.
void hdf5_check_volumes(hid_t file, const std::string &name, unsigned images_per_volume);

// Writes whether all announced images came: attributes `complete` and, if not, `images_expected`.
void hdf5_set_completeness(hid_t dataset, const StreamLength &length);

// For a dataset of images x rows x columns at /ENTRY/GROUP/NAME or deeper: the group becomes an NXdata with
// axes, the entry gets an NXprocess with all facts: the values in force in its group `parameters`, the
// elements in `elements`. Does nothing for a dataset nearer to the root, which has no such groups.
void hdf5_describe_result(hid_t file, const std::string &dataset, const ResultFacts &facts,
                          const StreamLength &length);

// The NXprocess of a dataset; empty if it has none.
std::string hdf5_process_of(const std::string &dataset);

// Writes the values by which the images of a dataset differ beside it, as the first axis of an NXdata.
void hdf5_name_images(hid_t file, const std::string &dataset, const std::string &name,
                      const std::vector<std::string> &values);

// Upper bound of the bytes for these attributes and groups.
std::uint64_t hdf5_result_bytes(const Hdf5Shape &shape, const ResultFacts &facts);

} // namespace tomo::io
