// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "file.hpp"
#include "journal.hpp"
#include <gst/files/input-file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace tomo::io {

namespace {

std::recursive_mutex &hdf5_mutex() {
    // Never destroyed: handles may be closed while the process ends.
    static auto *const mutex = new std::recursive_mutex;
    return *mutex;
}

herr_t collect_reason(unsigned, const H5E_error2_t *reason, void *user_data) {
    if (reason->desc && *reason->desc)
        static_cast<std::vector<std::string> *>(user_data)->push_back(reason->desc);
    return 0;
}

} // namespace

Hdf5Lock::Hdf5Lock() : lock_(hdf5_mutex()) {
    H5open();
    // The setting belongs to the thread in thread-safe builds, so it is made anew each time.
    H5Eget_auto2(H5E_DEFAULT, &report_, &report_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Lock::~Hdf5Lock() { H5Eset_auto2(H5E_DEFAULT, report_, report_data_); }

bool Hdf5Handle::close() {
    if (id_ < 0)
        return true;
    const Hdf5Lock lock;
    return close_(std::exchange(id_, H5I_INVALID_HID)) >= 0;
}

Error hdf5_error(GstResourceError code, const std::string &what) {
    std::vector<std::string> reasons; // the innermost first
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_reason, &reasons);
    H5Eclear2(H5E_DEFAULT);
    std::string trace;
    for (const auto &reason : reasons)
        trace += reason + "\n";
    if (reasons.empty())
        return Error(code, what);
    // Where the system refused, its reason counts and not what the library makes of it.
    constexpr char errno_mark[] = "errno = ";
    const auto mark = reasons.front().find(errno_mark);
    if (mark != std::string::npos) {
        const int number = std::atoi(reasons.front().c_str() + mark + std::strlen(errno_mark));
        const auto error = system_error(what, number, code);
        return Error(error.domain, error.code, error.what(), trace);
    }
    const auto outer = reasons.back(), inner = reasons.front();
    return Error(code,
                 text("%s (HDF5: %s%s)", what.c_str(), outer.c_str(),
                      reasons.size() > 1 ? (", because of: " + inner).c_str() : ""),
                 trace);
}

Hdf5Shape hdf5_shape(hid_t dataset) {
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = space ? H5Sget_simple_extent_ndims(space.get()) : 0;
    Hdf5Shape shape(static_cast<std::size_t>(std::max(rank, 0)));
    if (rank > 0)
        H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr);
    return shape;
}

std::string hdf5_shape_text(const Hdf5Shape &shape) {
    std::string said;
    for (const auto extent : shape)
        said += (said.empty() ? "" : " x ") + std::to_string(extent);
    return said.empty() ? "a single value" : said;
}

void hdf5_check_storage(hid_t dataset, std::uint64_t bytes, const std::string &where) {
    constexpr std::uint64_t sparse = std::uint64_t{1} << 30; // of fill values it may be this much
    constexpr std::uint64_t greatest_expansion = 65536;
    constexpr std::uint64_t many_chunks = std::uint64_t{1} << 24;
    const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    if (!creation || H5Pget_external_count(creation.get()) > 0 ||
        H5Pget_layout(creation.get()) == H5D_VIRTUAL)
        return; // stored elsewhere
    std::uint64_t chunks = 1;
    bool fits = true;
    if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
        const auto shape = hdf5_shape(dataset);
        const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
        Hdf5Shape extent(shape.size());
        H5Pget_chunk(creation.get(), static_cast<int>(extent.size()), extent.data());
        std::uint64_t chunk = H5Tget_size(type.get());
        for (std::size_t i = 0; i < shape.size(); i++)
            fits = fits && extent[i] > 0 && multiply({chunk, extent[i]}, chunk) &&
                   multiply({chunks, (shape[i] - 1) / extent[i] + 1}, chunks);
        bytes = std::max(bytes, chunk);
    }
    if (fits && chunks > many_chunks) { // which the library goes through, also where none is stored
        const Hdf5Handle file(H5Iget_file_id(dataset), H5Fclose);
        hsize_t size = 0;
        fits = H5Fget_filesize(file.get(), &size) >= 0 && chunks <= size;
    }
    if (fits && (bytes <= sparse || bytes / greatest_expansion <= H5Dget_storage_size(dataset)))
        return;
    throw Error(GST_STREAM_ERROR_DECODE,
                text("%s claims to hold %s samples, which the file can't; it is truncated or damaged",
                     where.c_str(), hdf5_shape_text(hdf5_shape(dataset)).c_str()));
}

Hdf5Handle hdf5_file_access() {
    Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
    // Some network file systems have no locks; that is no reason not to read.
    H5Pset_file_locking(access.get(), true, true);
#endif
    return access;
}

// Whether this process has the file open already, to read it.
static bool is_input(const std::string &path) {
    std::vector<hid_t> files(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE));
    H5Fget_obj_ids(H5F_OBJ_ALL, H5F_OBJ_FILE, files.size(), files.data());
    return std::any_of(files.begin(), files.end(), [&](hid_t file) {
        unsigned intent = H5F_ACC_RDONLY;
        H5Fget_intent(file, &intent);
        if (intent & H5F_ACC_RDWR)
            return false;
        return same_file(hdf5_file_of(file), path);
    });
}

// Whether another process keeps the library from opening it, by a lock as the library takes it.
static bool is_locked(const std::string &path, bool writable) {
    const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return file && flock(file.get(), (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

// Whether there are not as many left as opening a file takes.
static bool lacks_descriptors(const std::string &path) {
    constexpr std::size_t taken = 3;
    std::array<FileDescriptor, taken> files;
    for (auto &file : files) {
        file = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file && (errno == EMFILE || errno == ENFILE))
            return true;
    }
    return false;
}

Hdf5Handle hdf5_open_to_read(const std::string &path, bool live) {
    const auto access = hdf5_file_access();
    Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (file || !live)
        return file;
    // Between two attempts to read what has no right checksum yet the library waits 1, 2, 4 ... ns: of its
    // 100 attempts nobody sees the end where the file is damaged. These take a second.
    H5Pset_metadata_read_attempts(access.get(), 30);
    return {H5Fopen(path.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access.get()), H5Fclose};
}

Hdf5Handle hdf5_open(const std::string &path, bool writable) {
    require_readable_file(path);
    if (writable && ::access(path.c_str(), W_OK) != 0)
        throw system_error("write", path, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    const auto access = hdf5_file_access();
    hdf5_recover(path, writable);
    if (H5Fis_hdf5(path.c_str()) == 0) {
        H5Eclear2(H5E_DEFAULT);
        throw Error(GST_STREAM_ERROR_WRONG_TYPE, text("'%s' is not an HDF5 file", path.c_str()));
    }
    // Different drivers don't know of each other, and locks are not everywhere.
    if (writable && is_input(path))
        throw Error(GST_RESOURCE_ERROR_BUSY,
                    text("cannot write '%s': it is an input; write to another file", path.c_str()));
    if (writable)
        hdf5_use_journal(access.get());
    auto file = writable ? Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose)
                         : hdf5_open_to_read(path);
    if (!file && is_locked(path, writable)) {
        H5Eclear2(H5E_DEFAULT);
        // The newest format marks the file itself, too.
        const bool is_marked = io::is_being_written(path).value_or(false);
        throw Error(
            GST_RESOURCE_ERROR_BUSY,
            text("'%s' is locked: another process has it open%s; %s it when that has closed it%s%s",
                 path.c_str(), writable ? "" : " to write", writable ? "write" : "read",
                 writable ? "" : ", or let it write for several readers (SWMR), which can be read meanwhile",
                 writable || is_marked
                     ? ""
                     : "; HDF5_USE_FILE_LOCKING=FALSE in the environment reads it all the same, as far as "
                       "it is on the disk: images may be missing"));
    }
    // The library may say it in a place where nobody looks, or not at all.
    if (!file && lacks_descriptors(path)) {
        H5Eclear2(H5E_DEFAULT);
        throw system_error("open", path, EMFILE,
                           writable ? GST_RESOURCE_ERROR_OPEN_WRITE : GST_RESOURCE_ERROR_OPEN_READ);
    }
    if (!file)
        throw hdf5_error(
            writable ? GST_RESOURCE_ERROR_OPEN_WRITE : GST_RESOURCE_ERROR_OPEN_READ,
            text("'%s' can't be opened; it is truncated or damaged, or is being written by somebody",
                 path.c_str()));
    return file;
}

std::string hdf5_file_of(hid_t object) {
    std::string name(static_cast<std::size_t>(std::max<ssize_t>(H5Fget_name(object, nullptr, 0), 0)), '\0');
    H5Fget_name(object, name.data(), name.size() + 1);
    return name;
}

bool hdf5_is_live(hid_t object) {
    const Hdf5Handle file(H5Iget_file_id(object), H5Fclose);
    unsigned intent = 0;
    // This process may have it open to write, through another user of the library.
    return H5Fget_intent(file.get(), &intent) >= 0 && (intent & (H5F_ACC_SWMR_READ | H5F_ACC_RDWR));
}

Hdf5Handle hdf5_open_dataset(hid_t file, const std::string &path, hid_t access) {
    Hdf5Handle dataset(H5Dopen2(file, path.c_str(), access), H5Dclose);
    if (dataset && hdf5_is_live(dataset.get()))
        H5Drefresh(dataset.get());
    return dataset;
}

Hdf5Handle hdf5_select_image(hid_t dataset, std::uint64_t image, unsigned first_row, unsigned rows,
                             unsigned row_step, unsigned first_column, unsigned columns) {
    Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const auto shape = hdf5_shape(dataset);
    const auto rank = shape.size();
    Hdf5Shape start(rank, 0), stride(rank, 1), count(rank, 1);
    if (rank >= 3)
        start[rank - 3] = image;
    start[rank - 2] = first_row;
    stride[rank - 2] = row_step;
    count[rank - 2] = rows;
    start[rank - 1] = first_column;
    count[rank - 1] = columns ? columns : shape[rank - 1];
    if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), stride.data(), count.data(), nullptr) <
        0)
        return {};
    return space;
}

} // namespace tomo::io

#endif // HAVE_HDF5
