// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"
#include <gst/files/image-writer.hpp>

// What stands beside a result in an HDF5 file. Layout: the NeXus definitions NXtomoproc, NXdata and
// NXprocess.
namespace tomo::io {

// Attributes of the dataset: who made it, and the pipeline.
void hdf5_sign_dataset(hid_t dataset, const ResultFacts &facts);

// What the integers of a dataset stand for: attributes, ...
void hdf5_set_range(hid_t dataset, const ValueRange &range);
std::optional<ValueRange> hdf5_range_of(hid_t dataset);
// ... or where each image has a range of its own, two more datasets, NAME_grey_minimum and NAME_grey_maximum.
// Without any, those of an older dataset are removed.
void hdf5_write_ranges(hid_t file, hid_t dataset, const std::string &name,
                       const std::vector<ValueRange> &ranges);

// Whether all images came that were announced: attributes `complete` and, if not, `images_expected`.
void hdf5_set_completeness(hid_t dataset, const StreamLength &length);

// For a dataset of images x rows x columns at /ENTRY/GROUP/NAME or deeper: the group becomes an NXdata with
// axes, the entry gets an NXprocess with all facts: what was in force in its group `parameters`, the elements
// in `elements`. A dataset that is nearer to the root has no room for them.
void hdf5_describe_result(hid_t file, const std::string &dataset, const ResultFacts &facts,
                          const StreamLength &length);

// Bytes that these may take.
std::uint64_t hdf5_result_bytes(const Hdf5Shape &shape, const ResultFacts &facts);

} // namespace tomo::io
