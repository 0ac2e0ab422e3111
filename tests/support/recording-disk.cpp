// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// To be preloaded: writes down what happens to files whose path contains RECORDING_DISK_NAME, and the folders
// they are in, in the file RECORDING_DISK_LOG: all that is needed to know what may be on the disk if the
// machine stops at any moment (tests/support/stopped_machine.py).
//
// A record is a line "OPERATION OFFSET LENGTH PATH[\tPATH]", and behind the line of a write its data.

// Both names of each function are to be seen.
#undef _FILE_OFFSET_BITS

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

// So that the log has the order of what happened.
std::recursive_mutex order;

std::string path_of(int file) {
    char link[64], path[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const auto length = readlink(link, path, sizeof path);
    return length < 0 ? "" : std::string(path, static_cast<std::size_t>(length));
}

std::string absolute(const char *path) {
    if (path[0] == '/')
        return path;
    char folder[4096];
    return getcwd(folder, sizeof folder) ? std::string(folder) + "/" + path : path;
}

bool is_meant(const std::string &path) {
    const char *name = std::getenv("RECORDING_DISK_NAME");
    return name && path.find(name) != std::string::npos;
}

template <class Function>
Function *next(Function *, const char *name) {
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}
#define NEXT(function) next(&function, #function)

void record(const char *operation, off64_t offset, std::size_t length, const std::string &paths,
            const void *data = nullptr) {
    static FILE *log = std::fopen(std::getenv("RECORDING_DISK_LOG"), "ab");
    std::fprintf(log, "%s %lld %zu %s\n", operation, static_cast<long long>(offset), length, paths.c_str());
    if (data)
        std::fwrite(data, 1, length, log);
    std::fflush(log);
}

template <class Write>
ssize_t recorded_write(int file, const void *from, off64_t offset, Write write) {
    const std::lock_guard<std::recursive_mutex> lock(order);
    const auto written = write();
    if (written > 0)
        if (const auto path = path_of(file); is_meant(path))
            record("write", offset, static_cast<std::size_t>(written), path, from);
    return written;
}

template <class Work>
int recorded(const char *operation, off64_t offset, const std::string &path, Work work) {
    const std::lock_guard<std::recursive_mutex> lock(order);
    const auto result = work();
    if (result == 0 && is_meant(path))
        record(operation, offset, 0, path);
    return result;
}

template <class Sync>
int recorded_sync(int file, Sync sync) {
    const std::lock_guard<std::recursive_mutex> lock(order);
    const auto result = sync(file);
    struct stat facts;
    const auto path = path_of(file);
    if (result == 0 && fstat(file, &facts) == 0 && (S_ISDIR(facts.st_mode) || is_meant(path)))
        record(S_ISDIR(facts.st_mode) ? "sync-folder" : "sync", 0, 0, path);
    return result;
}

template <class Open>
int recorded_open(const char *name, int flags, Open open) {
    const std::lock_guard<std::recursive_mutex> lock(order);
    const auto path = absolute(name);
    const bool meant = is_meant(path);
    const bool was_there = meant && access(path.c_str(), F_OK) == 0;
    const int file = open();
    if (file >= 0 && meant && !was_there && (flags & O_CREAT))
        record("create", 0, 0, path);
    if (file >= 0 && meant && was_there && (flags & O_TRUNC))
        record("truncate", 0, 0, path);
    return file;
}

mode_t mode_of(int flags, va_list arguments) { return flags & O_CREAT ? va_arg(arguments, mode_t) : 0; }

} // namespace

extern "C" {

int open(const char *name, int flags, ...) {
    static const auto real = NEXT(open);
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = mode_of(flags, arguments);
    va_end(arguments);
    return recorded_open(name, flags, [&] { return real(name, flags, mode); });
}
int open64(const char *name, int flags, ...) {
    static const auto real = NEXT(open64);
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = mode_of(flags, arguments);
    va_end(arguments);
    return recorded_open(name, flags, [&] { return real(name, flags, mode); });
}
ssize_t write(int file, const void *from, size_t bytes) {
    static const auto real = NEXT(write);
    const auto at = lseek(file, 0, SEEK_CUR);
    return recorded_write(file, from, at, [&] { return real(file, from, bytes); });
}
ssize_t pwrite(int file, const void *from, size_t bytes, off_t offset) {
    static const auto real = NEXT(pwrite);
    return recorded_write(file, from, offset, [&] { return real(file, from, bytes, offset); });
}
ssize_t pwrite64(int file, const void *from, size_t bytes, off64_t offset) {
    static const auto real = NEXT(pwrite64);
    return recorded_write(file, from, offset, [&] { return real(file, from, bytes, offset); });
}
int fsync(int file) {
    static const auto real = NEXT(fsync);
    return recorded_sync(file, real);
}
int fdatasync(int file) {
    static const auto real = NEXT(fdatasync);
    return recorded_sync(file, real);
}
int ftruncate(int file, off_t size) noexcept {
    static const auto real = NEXT(ftruncate);
    return recorded("truncate", size, path_of(file), [&] { return real(file, size); });
}
int ftruncate64(int file, off64_t size) noexcept {
    static const auto real = NEXT(ftruncate64);
    return recorded("truncate", size, path_of(file), [&] { return real(file, size); });
}
int truncate(const char *path, off_t size) noexcept {
    static const auto real = NEXT(truncate);
    return recorded("truncate", size, absolute(path), [&] { return real(path, size); });
}
int truncate64(const char *path, off64_t size) noexcept {
    static const auto real = NEXT(truncate64);
    return recorded("truncate", size, absolute(path), [&] { return real(path, size); });
}
int unlink(const char *path) noexcept {
    static const auto real = NEXT(unlink);
    return recorded("unlink", 0, absolute(path), [&] { return real(path); });
}
int remove(const char *path) noexcept {
    static const auto real = NEXT(remove);
    return recorded("unlink", 0, absolute(path), [&] { return real(path); });
}
int rename(const char *from, const char *to) noexcept {
    static const auto real = NEXT(rename);
    return recorded("rename", 0, absolute(from) + "\t" + absolute(to), [&] { return real(from, to); });
}
ssize_t copy_file_range(int, off64_t *, int, off64_t *, size_t, unsigned) {
    errno = ENOSYS; // so that the data pass here
    return -1;
}
}
