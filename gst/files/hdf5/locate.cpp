// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "locate.hpp"
#include "driver.hpp"
#include "objects.hpp"
#include <gst/files/input-file.hpp>

namespace tomo::io {

#if H5_VERSION_GE(1, 10, 5)

namespace {

// Of the samples that the library asks for next, instead of these; under its lock.
Hdf5Locator::Place *wanted = nullptr;

struct OpenFile : Hdf5DriverFile {
    explicit OpenFile(const char *name) : file(name) {}
    InputFile file;
};

OpenFile *of(H5FD_t *file) { return static_cast<OpenFile *>(Hdf5DriverFile::of(file)); }
const OpenFile *of(const H5FD_t *file) { return static_cast<const OpenFile *>(Hdf5DriverFile::of(file)); }

H5FD_t *open_file(const char *name, unsigned flags, hid_t, haddr_t) {
    if (flags & H5F_ACC_RDWR)
        return nullptr;
    try {
        auto opened = std::make_unique<OpenFile>(name);
        if (fstat(opened->file.descriptor(), &opened->identity) == 0)
            return &opened.release()->base;
    } catch (const std::exception &) { // must not pass through C
    }
    return nullptr;
}

herr_t close_file(H5FD_t *file) {
    const std::unique_ptr<OpenFile> closed(of(file));
    return 0;
}

herr_t read_file(H5FD_t *file, H5FD_mem_t type, hid_t, haddr_t address, std::size_t bytes, void *to) {
    if (wanted && type == H5FD_MEM_DRAW) {
        wanted->address = address;
        wanted->bytes = bytes;
        return 0;
    }
    try {
        of(file)->file.read_at(address, to, bytes, "a structure");
        return 0;
    } catch (const std::exception &) {
        return -1;
    }
}

hid_t driver() {
    static const H5FD_class_t implementation = [] {
        auto all = hdf5_driver("tomo-locate", 510);
        all.open = open_file;
        all.close = close_file;
        all.query = [](const H5FD_t *, unsigned long *flags) -> herr_t {
            *flags = H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
            return 0;
        };
        all.get_eof = [](const H5FD_t *file, H5FD_mem_t) { return haddr_t{of(file)->file.size()}; };
        all.read = read_file;
        all.write = [](H5FD_t *, H5FD_mem_t, hid_t, haddr_t, std::size_t, const void *) -> herr_t {
            return -1;
        };
        return all;
    }();
    static const hid_t id = H5FDregister(&implementation);
    return id;
}

} // namespace

std::unique_ptr<Hdf5Locator> Hdf5Locator::open(hid_t dataset) {
    const auto identity = hdf5_identity(dataset);
    const auto access = hdf5_file_access();
    auto locator = std::make_unique<Hdf5Locator>();
    if (identity && H5Pset_driver(access.get(), driver(), nullptr) >= 0)
        locator->file_ = {H5Fopen(hdf5_file_of(dataset).c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose};
    if (locator->file_)
        locator->dataset_ = {H5Oopen_by_addr(locator->file_.get(), (*identity)[2]), H5Dclose};
    // Another file may have got the name meanwhile.
    if (!locator->dataset_ || hdf5_identity(locator->dataset_.get()) != identity) {
        H5Eclear2(H5E_DEFAULT);
        return {};
    }
    return locator;
}

std::optional<Hdf5Locator::Place> Hdf5Locator::find(const hsize_t *corner) const {
    Place place;
    hsize_t bytes = 0;
    bool found = H5Dget_chunk_storage_size(dataset_.get(), corner, &bytes) >= 0;
    if (found && bytes > 0) {
        char nothing = 0;
        wanted = &place;
        found = H5Dread_chunk(dataset_.get(), H5P_DEFAULT, corner, &place.skipped, &nothing) >= 0;
        wanted = nullptr;
    }
    if (found && place.bytes == bytes)
        return place;
    H5Eclear2(H5E_DEFAULT);
    return {};
}

#else

std::unique_ptr<Hdf5Locator> Hdf5Locator::open(hid_t) { return {}; }
std::optional<Hdf5Locator::Place> Hdf5Locator::find(const hsize_t *) const { return {}; }

#endif

} // namespace tomo::io

#endif // HAVE_HDF5
