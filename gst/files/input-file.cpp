// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input-file.hpp"
#include "disk.hpp"
#include "file-format.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace tomo::io {

void require_readable_file(const std::string &path) {
    struct stat facts;
    if (stat(path.c_str(), &facts) != 0)
        throw system_error("open", path, errno, GST_RESOURCE_ERROR_OPEN_READ);
    if (S_ISDIR(facts.st_mode))
        throw Error(GST_RESOURCE_ERROR_OPEN_READ, text("'%s' is a folder, not an image file", path.c_str()));
    if (!S_ISREG(facts.st_mode))
        throw Error(
            GST_RESOURCE_ERROR_OPEN_READ,
            text("'%s' is a pipe, socket or device; images are read from regular files", path.c_str()));
    if (access(path.c_str(), R_OK) != 0)
        throw system_error("open", path, errno, GST_RESOURCE_ERROR_OPEN_READ);
    if (facts.st_size == 0)
        throw Error(GST_RESOURCE_ERROR_READ, text("'%s' is empty (0 bytes)", path.c_str()));
}

std::optional<bool> is_being_written(const std::string &path) {
    try {
        // Superblock of version 3: the marks of who writes stand in byte 11.
        const InputFile file(path);
        unsigned char start[12];
        file.read_at(0, start, sizeof start, "the superblock");
        if (start[0] == 0x89 && start[8] >= 3)
            return start[11] != 0;
    } catch (const Error &) { // not there yet, or a folder
    }
    return {};
}

InputFile::InputFile(const std::string &path) : path_(path) {
    require_readable_file(path);
    descriptor_ = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat facts;
    if (!descriptor_ || fstat(descriptor_.get(), &facts) != 0)
        throw system_error("open", path, errno, GST_RESOURCE_ERROR_OPEN_READ);
    size_ = static_cast<std::uint64_t>(facts.st_size);
}

void InputFile::refresh_size() {
    struct stat facts;
    if (fstat(descriptor_.get(), &facts) != 0)
        throw system_error("read", path_, errno, GST_RESOURCE_ERROR_READ);
    size_ = static_cast<std::uint64_t>(facts.st_size);
}

void InputFile::read_at(std::uint64_t offset, void *destination, std::uint64_t bytes,
                        const std::string &what) const {
    // It may become shorter while it is open.
    const auto wanted = offset <= size_ && bytes <= size_ - offset ? bytes : 0;
    check(offset, read_bytes(descriptor_.get(), offset, destination, wanted), bytes, what);
}

void InputFile::read_rows_at(std::uint64_t offset, char *destination, std::size_t row_bytes,
                             std::uint64_t rows, std::size_t stride, const std::string &what) const {
    const auto bytes = rows * row_bytes;
    const auto wanted = offset <= size_ && bytes <= size_ - offset ? rows : 0;
    check(offset, read_rows(descriptor_.get(), offset, destination, row_bytes, wanted, stride), bytes, what);
}

void InputFile::check(std::uint64_t offset, const std::optional<std::uint64_t> &got, std::uint64_t bytes,
                      const std::string &what) const {
    if (!got)
        throw system_error("read", path_, errno, GST_RESOURCE_ERROR_READ);
    if (*got < bytes)
        throw Error(GST_RESOURCE_ERROR_READ,
                    text("'%s' is truncated or damaged: %s should stand at byte %" G_GUINT64_FORMAT
                         ", but the file ends at byte %" G_GUINT64_FORMAT,
                         path_.c_str(), what.c_str(), offset + *got, size_));
}

} // namespace tomo::io
