// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "disk.hpp"
#include "file-descriptor.hpp"
#include "file-format.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tomo::io {

// Passing a limit of the process would end the process by a signal.
static bool is_within_limit(std::uint64_t end) {
    rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || end <= limit.rlim_cur)
        return true;
    errno = EFBIG;
    return false;
}

std::optional<std::uint64_t> read_bytes(int descriptor, std::uint64_t offset, void *to, std::uint64_t bytes) {
    std::uint64_t done = 0;
    while (done < bytes) {
        const auto got = pread(descriptor, static_cast<char *>(to) + done, bytes - done,
                               static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return {};
        if (got == 0)
            break;
        done += static_cast<std::uint64_t>(got);
    }
    return done;
}

std::optional<std::uint64_t> read_rows(int descriptor, std::uint64_t offset, char *to, std::size_t row_bytes,
                                       std::uint64_t rows, std::size_t stride) {
    if (stride == row_bytes)
        return read_bytes(descriptor, offset, to, rows * row_bytes);
    constexpr std::uint64_t most = 256; // far below IOV_MAX
    iovec parts[most];
    std::uint64_t done = 0;
    for (std::uint64_t row = 0; row < rows;) {
        const auto count = std::min(most, rows - row);
        for (std::uint64_t i = 0; i < count; i++)
            parts[i] = {to + (row + i) * stride, row_bytes};
        const auto got =
            preadv(descriptor, parts, static_cast<int>(count), static_cast<off_t>(offset + row * row_bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return {};
        const auto whole = static_cast<std::uint64_t>(got) / row_bytes;
        row += whole;
        done += whole * row_bytes;
        if (whole == count)
            continue;
        // Interrupted within a row, or at the end of the file.
        const auto rest = read_bytes(descriptor, offset + row * row_bytes, to + row * stride, row_bytes);
        if (!rest)
            return {};
        done += *rest;
        if (*rest < row_bytes)
            break;
        row++;
    }
    return done;
}

bool write_bytes(int descriptor, std::uint64_t offset, const void *from, std::uint64_t bytes) {
    if (!is_within_limit(offset + bytes))
        return false;
    for (std::uint64_t done = 0; done < bytes;) {
        const auto written = pwrite(descriptor, static_cast<const char *>(from) + done, bytes - done,
                                    static_cast<off_t>(offset + done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return false;
        done += static_cast<std::uint64_t>(written);
    }
    return true;
}

bool set_file_size(int descriptor, std::uint64_t bytes) {
    return is_within_limit(bytes) && ftruncate(descriptor, static_cast<off_t>(bytes)) == 0;
}

std::uint64_t file_size(int descriptor) {
    struct stat facts;
    return fstat(descriptor, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

void reserve_space(int descriptor, std::uint64_t offset, std::uint64_t bytes, const std::string &name) {
    // Other reasons than these: this file system can't reserve.
    if (!is_within_limit(offset + bytes) ||
        (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) !=
             0 &&
         is_lack_of_room(errno)))
        throw system_error("write", name, errno, GST_RESOURCE_ERROR_WRITE);
}

bool is_lack_of_room(int number) { return number == ENOSPC || number == EDQUOT || number == EFBIG; }

static bool sync_with(int (*sync)(int), int descriptor) {
    while (sync(descriptor) != 0) {
        if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
            return true; // not a matter of this file system
        if (errno != EINTR)
            return false;
    }
    return true;
}

bool sync_to_disk(int descriptor) { return sync_with(fdatasync, descriptor); }

bool sync_folder_of(const std::string &file) {
    std::error_code missing;
    const auto real = std::filesystem::canonical(file, missing);
    const auto folder = (missing ? std::filesystem::path(file) : real).parent_path();
    const FileDescriptor names(
        open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // One may write in a folder that one may not read.
    return names ? sync_with(fsync, names.get()) : errno == EACCES;
}

constexpr std::uint64_t early_sync_bytes = 16 << 20;

void EarlySync::wrote(int descriptor, std::uint64_t bytes) {
    waiting_ += bytes;
    if (waiting_ < early_sync_bytes)
        return;
    sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    waiting_ = 0;
}

} // namespace tomo::io
