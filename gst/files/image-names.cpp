// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-names.hpp"
#include "file-format.hpp"
#include "number-pattern.hpp"

#ifdef HAVE_HDF5
#include "hdf5/journal.hpp"
#include "hdf5/result.hpp"
#endif

namespace tomo::io {

bool name_images(const std::string &location, const std::string &name,
                 const std::vector<std::string> &values) {
#ifdef HAVE_HDF5
    const auto place = split_location(location);
    if (!place.dataset.empty() && !NumberPattern(place.file).has_number()) {
        const Hdf5Lock lock;
        const auto file = hdf5_open(place.file, true);
        hdf5_begin_to_flush(file.get(), false);
        hdf5_name_images(file.get(), place.dataset, name, values);
        hdf5_check(H5Fflush(file.get(), H5F_SCOPE_LOCAL), GST_RESOURCE_ERROR_WRITE,
                   "cannot write '" + location + "'");
        return true;
    }
#else
    (void)location, (void)name, (void)values;
#endif
    return false;
}

} // namespace tomo::io
