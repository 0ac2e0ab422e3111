// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "journal.hpp"
#include "journaled-file.hpp"

#include <cerrno>
#include <memory>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace tomo::io {

namespace {

JournaledFile *of(H5FD_t *file) { return static_cast<JournaledFile *>(Hdf5DriverFile::of(file)); }
const JournaledFile *of(const H5FD_t *file) {
    return static_cast<const JournaledFile *>(Hdf5DriverFile::of(file));
}

// The library's C code calls these; no exception leaves them.
template <class Work>
herr_t guarded(Work work) noexcept {
    try {
        if (work())
            return 0;
        // With the number, from which hdf5_error() takes the reason.
        const auto said = text("journal, errno = %d, %s", errno, g_strerror(errno));
        H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_VFL, H5E_WRITEERROR, "%s",
                 said.c_str());
    } catch (const std::exception &) { // no memory
    }
    return -1;
}

H5FD_t *open_file(const char *name, unsigned flags, hid_t, haddr_t) {
    JournaledFile *opened = nullptr;
    guarded([&] {
        auto file = std::make_unique<JournaledFile>();
        if (!file->open(name, flags))
            return false;
        opened = file.release();
        return true;
    });
    return opened ? &opened->base : nullptr;
}

// The library closes every file, and what was wrong is told aside.
int last_close_error = 0; // under Hdf5Lock

herr_t close_file(H5FD_t *file) {
    const std::unique_ptr<JournaledFile> closed(of(file));
    last_close_error = closed->close();
    return 0;
}

herr_t features(const H5FD_t *, unsigned long *flags) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

herr_t read_file(H5FD_t *file, H5FD_mem_t, hid_t, haddr_t address, std::size_t bytes, void *to) {
    return guarded([&] { return of(file)->read(address, to, bytes); });
}

herr_t write_file(H5FD_t *file, H5FD_mem_t type, hid_t, haddr_t address, std::size_t bytes,
                  const void *from) {
    return guarded([&] { return of(file)->write(address, from, bytes, type == H5FD_MEM_DRAW); });
}

herr_t flush_file(H5FD_t *file, hid_t, hbool_t closing) {
    return guarded([&] { return of(file)->flush(closing); });
}

herr_t truncate_file(H5FD_t *file, hid_t, hbool_t closing) {
    return guarded([&] { return of(file)->truncate(closing); });
}

herr_t lock_file(H5FD_t *file, hbool_t exclusive) {
    return guarded([&] {
        // Some network file systems have no locks.
        return flock(of(file)->descriptor(), (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 ||
               errno != EWOULDBLOCK;
    });
}

herr_t unlock_file(H5FD_t *file) {
    flock(of(file)->descriptor(), LOCK_UN);
    return 0;
}

herr_t descriptor(H5FD_t *file, hid_t, void **handle) {
    *handle = of(file)->handle();
    return 0;
}

haddr_t end_of_file(const H5FD_t *file, H5FD_mem_t) { return of(file)->end_of_file(); }

hid_t driver() {
    static const H5FD_class_t implementation = [] {
        auto all = hdf5_driver("tomo-journal", 511);
        all.open = open_file;
        all.close = close_file;
        all.query = features;
        all.get_eof = end_of_file;
        all.get_handle = descriptor;
        all.read = read_file;
        all.write = write_file;
        all.flush = flush_file;
        all.truncate = truncate_file;
        all.lock = lock_file;
        all.unlock = unlock_file;
        return all;
    }();
    static const hid_t id = H5FDregister(&implementation);
    return id;
}

JournaledFile *journaled(hid_t file) {
    void *handle = nullptr;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0
               ? static_cast<JournaledFile::Handle *>(handle)->owner
               : nullptr;
}

} // namespace

void hdf5_use_journal(hid_t access) {
    hdf5_check(H5Pset_driver(access, driver(), nullptr), GST_RESOURCE_ERROR_FAILED,
               "HDF5 takes no file driver");
}

void hdf5_begin_to_flush(hid_t file, bool fsync) {
    if (auto *opened = journaled(file))
        opened->begin_to_flush(fsync);
}

JournaledFile *hdf5_defer_samples(hid_t file) {
    auto *opened = journaled(file);
    if (opened)
        opened->defer_samples();
    return opened;
}

void hdf5_give_up(hid_t file) {
    if (auto *opened = journaled(file))
        opened->give_up();
    H5Eclear2(H5E_DEFAULT);
}

int hdf5_close_error() { return std::exchange(last_close_error, 0); }

void hdf5_remove_partial(const std::string &partial) {
    unlink(partial.c_str());
    unlink(journal_name(partial).c_str());
}

void hdf5_remove_journal(const std::string &file) { unlink(journal_name(file).c_str()); }

} // namespace tomo::io

#endif // HAVE_HDF5
