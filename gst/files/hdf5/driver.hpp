// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The common part of this project's drivers, by which the HDF5 library reads and writes files.
#pragma once

#include "file.hpp"

#include <cstring>
#include <sys/stat.h>
#if H5_VERSION_GE(1, 14, 0)
#include <H5FDdevelop.h>
#endif

namespace tomo::io {

// A file that is open.
struct Hdf5DriverFile {
    Hdf5DriverFile() { std::memset(&base, 0, sizeof base); }

    H5FD_t base; // first: the library knows only this
    struct stat identity = {};
    haddr_t end = HADDR_UNDEF; // end of the file as the library counts it

    static Hdf5DriverFile *of(H5FD_t *file) { return reinterpret_cast<Hdf5DriverFile *>(file); }
    static const Hdf5DriverFile *of(const H5FD_t *file) {
        return reinterpret_cast<const Hdf5DriverFile *>(file);
    }
};

// A driver without functions that read or write. `number` is from the range for private use, 256 to 511.
inline H5FD_class_t hdf5_driver(const char *name, int number) {
    H5FD_class_t driver;
    std::memset(&driver, 0, sizeof driver);
#if H5_VERSION_GE(1, 14, 0)
    driver.version = H5FD_CLASS_VERSION;
    driver.value = static_cast<H5FD_class_value_t>(number);
#else
    (void)number;
#endif
    driver.name = name;
    driver.maxaddr = (haddr_t{1} << 62) - 1;
    driver.fc_degree = H5F_CLOSE_WEAK;
    driver.cmp = [](const H5FD_t *a, const H5FD_t *b) {
        const auto &first = Hdf5DriverFile::of(a)->identity, &second = Hdf5DriverFile::of(b)->identity;
        if (first.st_dev != second.st_dev)
            return first.st_dev < second.st_dev ? -1 : 1;
        return first.st_ino == second.st_ino ? 0 : first.st_ino < second.st_ino ? -1 : 1;
    };
    driver.get_eoa = [](const H5FD_t *file, H5FD_mem_t) {
        const auto end = Hdf5DriverFile::of(file)->end;
        return end == HADDR_UNDEF ? 0 : end;
    };
    driver.set_eoa = [](H5FD_t *file, H5FD_mem_t, haddr_t end) -> herr_t {
        Hdf5DriverFile::of(file)->end = end;
        return 0;
    };
    constexpr H5FD_mem_t kinds[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
    std::memcpy(driver.fl_map, kinds, sizeof kinds);
    return driver;
}

} // namespace tomo::io
