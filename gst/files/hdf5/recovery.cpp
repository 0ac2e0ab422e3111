// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "journal.hpp"
#include "journaled-file.hpp"

#include <cerrno>
#include <cmath>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tomo::io {

static bool is_recent(int file) {
    struct stat facts;
    return fstat(file, &facts) == 0 && std::abs(std::difftime(std::time(nullptr), facts.st_mtime)) < 60;
}

void hdf5_recover(const std::string &link, bool to_write) {
    std::error_code missing;
    const auto path = std::filesystem::canonical(link, missing).string();
    if (missing)
        return;
    const auto name = journal_name(path);
    struct stat facts;
    if (lstat(name.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return;
    const FileDescriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file)
        throw system_error(
            text("'%s' was left by a process that was killed, and must be completed from '%s' before it "
                 "can be used",
                 path.c_str(), name.c_str()),
            errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    const bool locked = flock(file.get(), LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno == EWOULDBLOCK)
        return; // it is being written
    // Not before: its writer may have been at the next one.
    const FileDescriptor journal(open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!journal)
        return;
    if (!locked && !to_write && is_recent(journal.get()))
        throw Error(
            GST_RESOURCE_ERROR_BUSY,
            text("'%s' is being written, or was left a moment ago by a process that was killed, and its file "
                 "system has no locks to tell; try again in a minute",
                 path.c_str()));
    std::vector<unsigned char> bytes(file_size(journal.get()));
    const auto got = read_bytes(journal.get(), 0, bytes.data(), bytes.size());
    if (!got)
        throw system_error("read", name, errno, GST_RESOURCE_ERROR_READ);
    bytes.resize(*got);
    const auto size = file_size(file.get());
    const auto pages = decode_journal(bytes, size, name, path);
    if (pages && (!write_pages(*pages, file.get(), size) || !sync_to_disk(file.get())))
        throw system_error("write", path, errno, GST_RESOURCE_ERROR_WRITE);
    unlink(name.c_str());
}

} // namespace tomo::io

#endif // HAVE_HDF5
