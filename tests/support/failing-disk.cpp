// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// To be preloaded: makes calls on some files fail, as a disk that breaks, a share that is gone, or a quota
// does.
//
//     FAILING_DISK="CALL:PART OF THE NAME:NUMBER OF THE ERROR:AFTER"
//
// CALL is read, write, sync, close, rename, lock or slow: then nothing fails, and each write takes NUMBER milliseconds. `read` and `write` fail for good after so many bytes,
// `lock` from the first time on, the others for one time, after so many calls: what a system could not write
// it forgets when it has said so.

// Both pread and pread64 are to be seen.
#undef _FILE_OFFSET_BITS

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

struct Order {
    char call[16] = "";
    char name[256] = "";
    int error = 0;
    long after = 0;

    Order() {
        const char *text = std::getenv("FAILING_DISK");
        if (text && std::sscanf(text, "%15[^:]:%255[^:]:%d:%ld", call, name, &error, &after) != 4)
            std::abort();
    }
};

const Order &order() {
    static const Order given;
    return given;
}

std::atomic<long> done{0};

bool is_meant(const char *call, const char *path) {
    return std::strcmp(order().call, call) == 0 && std::strstr(path, order().name);
}

bool is_meant(const char *call, int file) {
    if (std::strcmp(order().call, call) != 0)
        return false;
    char link[64], path[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const auto length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return is_meant(call, path);
}

bool fails_once(bool meant) {
    if (!meant || done.fetch_add(1) != order().after)
        return false;
    errno = order().error;
    return true;
}

bool fails_from(bool meant, std::size_t bytes) {
    if (!meant || done.fetch_add(static_cast<long>(bytes)) + static_cast<long>(bytes) <= order().after)
        return false;
    errno = order().error;
    return true;
}

void may_be_slow(int file) {
    if (is_meant("slow", file))
        usleep(static_cast<useconds_t>(order().error) * 1000);
}

template <class Function>
Function *next(Function *, const char *name) {
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

} // namespace

#define NEXT(function) next(&function, #function)

extern "C" {

ssize_t read(int file, void *to, size_t bytes) {
    static const auto real = NEXT(read);
    return fails_from(is_meant("read", file), bytes) ? -1 : real(file, to, bytes);
}
ssize_t pread(int file, void *to, size_t bytes, off_t offset) {
    static const auto real = NEXT(pread);
    return fails_from(is_meant("read", file), bytes) ? -1 : real(file, to, bytes, offset);
}
ssize_t pread64(int file, void *to, size_t bytes, off64_t offset) {
    static const auto real = NEXT(pread64);
    return fails_from(is_meant("read", file), bytes) ? -1 : real(file, to, bytes, offset);
}
ssize_t write(int file, const void *from, size_t bytes) {
    static const auto real = NEXT(write);
    return fails_from(is_meant("write", file), bytes) ? -1 : real(file, from, bytes);
}
ssize_t pwrite(int file, const void *from, size_t bytes, off_t offset) {
    static const auto real = NEXT(pwrite);
    may_be_slow(file);
    return fails_from(is_meant("write", file), bytes) ? -1 : real(file, from, bytes, offset);
}
ssize_t pwrite64(int file, const void *from, size_t bytes, off64_t offset) {
    static const auto real = NEXT(pwrite64);
    may_be_slow(file);
    return fails_from(is_meant("write", file), bytes) ? -1 : real(file, from, bytes, offset);
}
int fsync(int file) {
    static const auto real = NEXT(fsync);
    return fails_once(is_meant("sync", file)) ? -1 : real(file);
}
int fdatasync(int file) {
    static const auto real = NEXT(fdatasync);
    return fails_once(is_meant("sync", file)) ? -1 : real(file);
}
int close(int file) {
    static const auto real = NEXT(close);
    const bool fails = fails_once(is_meant("close", file));
    const auto result = real(file);
    if (fails)
        errno = order().error;
    return fails ? -1 : result;
}
int flock(int file, int operation) noexcept {
    static const auto real = NEXT(flock);
    if (!is_meant("lock", file))
        return real(file, operation);
    errno = order().error;
    return -1;
}
int rename(const char *from, const char *to) noexcept {
    static const auto real = NEXT(rename);
    return fails_once(is_meant("rename", from)) ? -1 : real(from, to);
}
}
