// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/grey-mapping.hpp>
#include <gst/files/image-writer.hpp>

#include <string>

namespace tomo::io {

// What the attributes of an image of OME-Zarr say.
struct OmeImage {
    std::string name;
    std::size_t levels = 1;
    ResultFacts facts; // with defaults where nobody tells them
    StreamLength length;
    std::optional<ValueRange> grey; // the values that the smallest and the largest integer stand for
    ValueRange all,
        window; // values of samples: all of them, and those that a viewer shows from black to white
};

// The file .zattrs of the image: `multiscales` and `omero` of OME-NGFF 0.4 (ngff.openmicroscopy.org), and the
// facts about its making.
std::string ome_attributes(const OmeImage &image);

} // namespace tomo::io
