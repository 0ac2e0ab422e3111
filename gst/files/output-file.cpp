// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output-file.hpp"
#include "file-format.hpp"
#include "input-claim.hpp"
#include "input-file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <mutex>
#include <set>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <vector>

namespace tomo::io {

namespace {

bool same_inode(int descriptor, const std::string &path) {
    struct stat held, named;
    return fstat(descriptor, &held) == 0 && lstat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
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

void check_size_limit(std::uint64_t end, const std::string &what) {
    if (!within_size_limit(end))
        throw system_error(what, EFBIG, GST_RESOURCE_ERROR_WRITE);
}

constexpr std::uint64_t early_sync_bytes = 16 << 20;

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
    const auto folder = fs::path(path).parent_path();
    if (!folder.empty() && !fs::is_directory(folder, error)) {
        fs::create_directories(folder, error);
        if (error)
            throw system_error("create the folder", folder.string(), error.value(),
                               GST_RESOURCE_ERROR_OPEN_WRITE);
    }
    return path;
}

std::string partial_name(const std::string &target) { return target + ".partial"; }

FileDescriptor claim_partial(const std::string &target, bool keep) {
    const auto partial = partial_name(target);
    for (;;) {
        auto file = open_or_create(partial);
        // Not every file system has locks, and without them one writer at a time is the user's care.
        if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            throw Error(GST_RESOURCE_ERROR_BUSY,
                        text("cannot write '%s': '%s' is being written by another element or process",
                             target.c_str(), partial.c_str()));
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

bool within_size_limit(std::uint64_t end) {
    rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || end <= limit.rlim_cur;
}

void reserve_space(int descriptor, std::uint64_t offset, std::uint64_t bytes, const std::string &name) {
    const auto what = "cannot write '" + name + "'";
    check_size_limit(offset + bytes, what);
    // Other reasons than these: this file system can't reserve.
    if (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) !=
            0 &&
        is_lack_of_room(errno))
        throw system_error(what, errno, GST_RESOURCE_ERROR_WRITE);
}

bool is_lack_of_room(int number) { return number == ENOSPC || number == EDQUOT || number == EFBIG; }

void remove_partial(const std::string &target) {
    const auto partial = partial_name(target);
    if (access(partial.c_str(), F_OK) != 0)
        return;
    const auto claim = claim_partial(target, true);
    unlink(partial.c_str());
}

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
    const auto folder = std::filesystem::canonical(file, missing).parent_path();
    const FileDescriptor names(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // One may write in a folder that one may not read.
    return names ? sync_with(fsync, names.get()) : errno == EACCES;
}

void EarlySync::wrote(int descriptor, std::uint64_t bytes) {
    waiting_ += bytes;
    if (waiting_ < early_sync_bytes)
        return;
    sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    waiting_ = 0;
}

void rename_partial(const std::string &target) {
    if (rename(partial_name(target).c_str(), target.c_str()) != 0)
        throw system_error("rename '" + partial_name(target) + "' to", target, errno,
                           GST_RESOURCE_ERROR_WRITE);
}

OutputFile::OutputFile(const std::string &path, Begin begin, bool fsync)
    : target_(prepare_target(path)), fsync_(fsync) {
    std::error_code ignored;
    if (begin == Begin::AsItWas && !std::filesystem::exists(partial(), ignored) &&
        std::filesystem::exists(target_, ignored)) {
        const InputFile original(target_);
        descriptor_ = FileDescriptor(dup(original.descriptor()));
        initial_size_ = original.size();
        is_target_ = true;
        return;
    }
    descriptor_ = claim_partial(target_, begin == Begin::AsItWas);
    if (begin == Begin::AsItWas) {
        struct stat facts;
        initial_size_ = fstat(descriptor_.get(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
    } else if (begin == Begin::AsCopy && std::filesystem::exists(target_)) {
        begin_copy();
    }
}

void OutputFile::begin_copy() {
    try {
        copy_target();
    } catch (...) {
        discard();
        throw;
    }
}

bool OutputFile::read_at(std::uint64_t offset, void *data, std::uint64_t bytes) const {
    auto *next = static_cast<char *>(data);
    while (bytes > 0) {
        const auto got = pread(descriptor_.get(), next, bytes, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw system_error("read", is_target_ ? target_ : partial(), errno, GST_RESOURCE_ERROR_READ);
        if (got == 0)
            return false;
        next += got;
        offset += static_cast<std::uint64_t>(got);
        bytes -= static_cast<std::uint64_t>(got);
    }
    return true;
}

bool OutputFile::holds(std::uint64_t offset, const void *data, std::uint64_t bytes) const {
    std::vector<char> there(std::min<std::uint64_t>(bytes, 4 << 20));
    const auto *expected = static_cast<const char *>(data);
    for (std::uint64_t done = 0; done < bytes; done += there.size()) {
        const auto now = std::min<std::uint64_t>(there.size(), bytes - done);
        if (!read_at(offset + done, there.data(), now) ||
            std::memcmp(there.data(), expected + done, now) != 0)
            return false;
    }
    return true;
}

void OutputFile::copy_target() {
    const InputFile original(target_);
    const auto size = original.size();
    std::uint64_t done = 0;
    // In the kernel, where both files' system can do it.
    for (loff_t from = 0, to = 0; done < size;) {
        const auto copied =
            copy_file_range(original.descriptor(), &from, descriptor_.get(), &to, size - done, 0);
        if (copied <= 0)
            break;
        done += static_cast<std::uint64_t>(copied);
    }
    std::vector<char> block(std::min<std::uint64_t>(size - done, 4 << 20));
    while (done < size) {
        const auto bytes = std::min<std::uint64_t>(block.size(), size - done);
        original.read_at(done, block.data(), bytes, "data to be kept");
        write_at(done, block.data(), bytes);
        done += bytes;
    }
    initial_size_ = size;
}

void OutputFile::write_at(std::uint64_t offset, const void *data, std::uint64_t bytes) {
    if (is_target_) {
        descriptor_ = claim_partial(target_);
        is_target_ = false;
        begin_copy();
    }
    const auto *next = static_cast<const char *>(data);
    check_size_limit(offset + bytes, "cannot write '" + partial() + "'");
    const auto all = bytes;
    while (bytes > 0) {
        const auto written = pwrite(descriptor_.get(), next, bytes, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            throw system_error("write", partial(), written < 0 ? errno : ENOSPC, GST_RESOURCE_ERROR_WRITE);
        next += written;
        offset += static_cast<std::uint64_t>(written);
        bytes -= static_cast<std::uint64_t>(written);
    }
    if (fsync_)
        early_sync_.wrote(descriptor_.get(), all);
}

void OutputFile::complete(std::uint64_t size) {
    if (is_target_ && size == initial_size_) {
        descriptor_.close();
        return; // it was complete
    }
    if (is_target_)
        write_at(size, nullptr, 0);
    if (size < initial_size_ && ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    if (fsync_ && !sync_to_disk(descriptor_.get())) {
        is_damaged_ = true;
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    }
    // The name changes while the lock is held; a second descriptor keeps it while the first one is closed for
    // the sake of late errors.
    lock_ = FileDescriptor(dup(descriptor_.get()));
    if (descriptor_.close() != 0) {
        is_damaged_ = true;
        throw system_error("write", partial(), errno, GST_RESOURCE_ERROR_WRITE);
    }
}

void OutputFile::publish() {
    if (lock_)
        rename_partial(target_);
    lock_.close();
}

std::string OutputFile::keep(std::uint64_t size) {
    if (descriptor_ && !is_target_ && ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
        g_warning("cannot cut '%s' to its whole images: %s", target_.c_str(), g_strerror(errno));
    if (fsync_ && descriptor_ && !is_target_ && !sync_to_disk(descriptor_.get()))
        is_damaged_ = true;
    auto name = partial();
    // Where nothing looks for something to go on from.
    if (is_damaged_) {
        rename(name.c_str(), (target_ + ".damaged").c_str());
        name = target_ + ".damaged";
    }
    descriptor_.close();
    lock_.close();
    return name;
}

void OutputFile::discard() noexcept {
    if ((descriptor_ || lock_) && !is_target_)
        unlink(partial().c_str());
    descriptor_.close();
    lock_.close();
}

} // namespace tomo::io
