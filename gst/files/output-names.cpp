// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output-names.hpp"
#include "file-format.hpp"
#include "input-claim.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <mutex>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>

namespace tomo::io {

namespace {

bool same_inode(int descriptor, const std::string &path) {
    struct stat held, named;
    return fstat(descriptor, &held) == 0 && lstat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

// Not every file system has locks, and without them one writer at a time is the user's care.
void lock_for_writing(const FileDescriptor &file, const std::string &path, const std::string &target) {
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw Error(GST_RESOURCE_ERROR_BUSY,
                    text("cannot write '%s': '%s' is being written by another element or process",
                         target.c_str(), path.c_str()));
}

// Throws on anything but a regular file.
void require_regular(const struct stat &facts, const std::string &path) {
    if (!S_ISREG(facts.st_mode))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': it is %s; remove it, or write to another file", path.c_str(),
                         S_ISLNK(facts.st_mode)   ? "a symbolic link"
                         : S_ISDIR(facts.st_mode) ? "a folder"
                                                  : "a pipe, socket or device"));
}

// Opens a file to which no link leads and in which nobody waits at the other end. Without a descriptor where
// there is none, or with O_EXCL, where there is one.
FileDescriptor open_regular(const std::string &path, int flags) {
    struct stat facts;
    if (lstat(path.c_str(), &facts) == 0)
        require_regular(facts, path);
    FileDescriptor file(open(path.c_str(), flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
    if (!file && errno != (flags & O_EXCL ? EEXIST : ENOENT))
        throw system_error("write", path, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    // Another one may have taken its place meanwhile.
    if (file && fstat(file.get(), &facts) == 0)
        require_regular(facts, path);
    return file;
}

// There, or made.
FileDescriptor open_or_create(const std::string &path) {
    for (;;) {
        if (auto there = open_regular(path, 0))
            return there;
        if (auto made = open_regular(path, O_CREAT | O_EXCL))
            return made;
    }
}

bool has_other_names(int descriptor) {
    struct stat facts;
    return fstat(descriptor, &facts) == 0 && facts.st_nlink > 1;
}

} // namespace

std::string prepare_target(const std::string &path) {
    namespace fs = std::filesystem;
    std::error_code error;
    const auto status = fs::status(path, error);
    if (fs::is_directory(status))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': it is a folder; name a file in it", path.c_str()));
    if (fs::exists(status) && !fs::is_regular_file(status))
        throw Error(
            GST_RESOURCE_ERROR_OPEN_WRITE,
            text("cannot write '%s': it is a pipe, socket or device; name a regular file", path.c_str()));
    if (fs::exists(status)) {
        refuse_to_replace_input(path);
        const auto real = fs::canonical(path, error);
        return error ? path : real.string();
    }
    make_folder_of(path);
    return path;
}

void make_folder_of(const std::string &path) {
    std::error_code error;
    const auto folder = std::filesystem::path(path).parent_path();
    if (folder.empty() || std::filesystem::is_directory(folder, error))
        return;
    std::filesystem::create_directories(folder, error);
    if (error)
        throw system_error("create the folder", folder.string(), error.value(),
                           GST_RESOURCE_ERROR_OPEN_WRITE);
}

std::string partial_name(const std::string &target) { return target + ".partial"; }

FileDescriptor claim_partial(const std::string &target, bool keep) {
    const auto partial = partial_name(target);
    for (;;) {
        auto file = open_or_create(partial);
        lock_for_writing(file, partial, target);
        // The writer before may have renamed it in between; then this is its finished file.
        if (!same_inode(file.get(), partial))
            continue;
        // By its other names somebody may still want what it holds.
        if (!keep && has_other_names(file.get())) {
            if (unlink(partial.c_str()) != 0)
                throw system_error("write", partial, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
            continue;
        }
        if (!keep && ftruncate(file.get(), 0) != 0)
            throw system_error("write", partial, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
        return file;
    }
}

FileDescriptor claim_folder(const std::string &folder, const std::string &target) {
    for (;;) {
        if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
            throw system_error("create the folder", folder, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
        FileDescriptor claimed(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!claimed && errno == ENOENT)
            continue;
        if (!claimed)
            throw system_error("write", folder, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
        lock_for_writing(claimed, folder, target);
        // The writer before may have renamed it in between.
        if (same_inode(claimed.get(), folder))
            return claimed;
    }
}

static struct flock range_of_numbers(short type, std::uint64_t start, std::uint64_t length) {
    struct flock range = {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(start);
    range.l_len = static_cast<off_t>(length); // 0: all behind
    return range;
}

// Of this open file, so that other processes and other writers of this one count alike. False with errno.
static bool lock_range(const FileDescriptor &file, std::uint64_t start, std::uint64_t length) {
    auto range = range_of_numbers(F_WRLCK, start, length);
    return fcntl(file.get(), F_OFD_SETLK, &range) == 0;
}

static bool is_held_by_another(int error) { return error == EAGAIN || error == EACCES; }

SeriesClaim::SeriesClaim(const std::string &pattern) : name_(partial_name(prepare_target(pattern))) {}

// Not every file system has locks, and without them one writer at a time is the user's care.
bool SeriesClaim::lock(std::uint64_t first, std::uint64_t step, std::optional<std::uint64_t> count) const {
    constexpr std::uint64_t last = std::numeric_limits<off_t>::max(), most_ranges = 1 << 16;
    if (!count || *count > (last - first) / step || (step > 1 && *count > most_ranges))
        return lock_range(file_, first, 0) || !is_held_by_another(errno);
    if (step == 1)
        return lock_range(file_, first, *count) || !is_held_by_another(errno);
    // Others may have the numbers between them.
    for (std::uint64_t i = 0; i < *count; i++)
        if (!lock_range(file_, first + i * step, 1) && is_held_by_another(errno)) {
            auto rest = range_of_numbers(F_UNLCK, first, i * step);
            if (i > 0)
                fcntl(file_.get(), F_OFD_SETLK, &rest);
            return false;
        }
    return true;
}

bool SeriesClaim::is_taken_for_ever(std::uint64_t number) const {
    auto range = range_of_numbers(F_WRLCK, number, 1);
    return file_ && fcntl(file_.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK &&
           range.l_len == 0;
}

bool SeriesClaim::take(std::uint64_t first, std::uint64_t step, std::optional<std::uint64_t> count) {
    for (;;) {
        if (!file_)
            file_ = open_or_create(name_);
        const bool taken = lock(first, step, count);
        // Whoever holds a number keeps the file; before, the last writer may have removed it.
        if (holds_some_ || same_inode(file_.get(), name_)) {
            struct stat facts;
            if (!holds_some_ && futimens(file_.get(), nullptr) == 0 && fstat(file_.get(), &facts) == 0)
                since_ = facts.st_mtim;
            holds_some_ |= taken;
            return taken;
        }
        file_.close();
    }
}

bool SeriesClaim::is_older(const std::string &file) const {
    struct stat facts;
    return stat(file.c_str(), &facts) == 0 &&
           std::pair(facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec) < std::pair(since_.tv_sec, since_.tv_nsec);
}

SeriesClaim::~SeriesClaim() {
    // The last one of those who are at it.
    if (file_ && (lock_range(file_, 0, 0) || !is_held_by_another(errno)))
        unlink(name_.c_str());
}

static std::mutex claims_lock;
static std::set<std::string> claims;

NameClaim::NameClaim(const std::string &name)
    : name_(std::filesystem::absolute(name).lexically_normal().string()) {
    std::lock_guard<std::mutex> lock(claims_lock);
    if (!claims.insert(name_).second)
        throw Error(GST_RESOURCE_ERROR_BUSY,
                    text("cannot write '%s': it is being written by another element", name.c_str()));
}

NameClaim::~NameClaim() {
    std::lock_guard<std::mutex> lock(claims_lock);
    claims.erase(name_);
}

void remove_partial(const std::string &target) {
    const auto partial = partial_name(target);
    if (access(partial.c_str(), F_OK) != 0)
        return;
    const auto claim = claim_partial(target, true);
    unlink(partial.c_str());
}

void rename_partial(const std::string &target) {
    if (rename(partial_name(target).c_str(), target.c_str()) != 0)
        throw system_error("rename '" + partial_name(target) + "' to", target, errno,
                           GST_RESOURCE_ERROR_WRITE);
}

} // namespace tomo::io
