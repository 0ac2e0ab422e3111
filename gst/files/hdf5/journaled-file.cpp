// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "journaled-file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <utility>

namespace tomo::io {

namespace {

// A stretch of a file, page by page.
struct PieceOfPage {
    std::uint64_t page;    // its address
    std::uint64_t in_page; // where the piece begins in it
    std::uint64_t at;      // and in the stretch
    std::uint64_t bytes;
};

template <class Visit>
void for_each_page(std::uint64_t address, std::uint64_t bytes, Visit visit) {
    for (std::uint64_t at = 0; at < bytes;) {
        const auto in_page = (address + at) % journal_page_bytes;
        const auto count = std::min(journal_page_bytes - in_page, bytes - at);
        visit(PieceOfPage{address + at - in_page, in_page, at, count});
        at += count;
    }
}

// Zeros behind the end of the file.
bool read_or_zeros(int file, std::uint64_t offset, void *to, std::uint64_t bytes) {
    const auto got = read_bytes(file, offset, to, bytes);
    if (got)
        std::memset(static_cast<char *>(to) + *got, 0, bytes - *got);
    return got.has_value();
}

// That of pages behind `from`, before one of them is changed.
bool reserve_room(const JournalPages &pages, int file, std::uint64_t from) {
    for (auto page = pages.lower_bound(from / journal_page_bytes * journal_page_bytes); page != pages.end();
         page++)
        if (fallocate(file, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(page->first), journal_page_bytes) != 0 &&
            is_lack_of_room(errno))
            return false;
    return true;
}

// Strings of attributes, which the library gives out as if they were samples.
bool is_global_heap(const void *data, std::size_t bytes) {
    constexpr char signature[4] = {'G', 'C', 'O', 'L'};
    return bytes >= sizeof signature && std::memcmp(data, signature, sizeof signature) == 0;
}

} // namespace

bool write_pages(const JournalPages &pages, int file, std::uint64_t size) {
    for (const auto &[address, page] : pages)
        if (address < size &&
            !write_bytes(file, address, page.data(), std::min(journal_page_bytes, size - address)))
            return false;
    return true;
}

bool JournaledFile::open(const char *name, unsigned flags) {
    is_writable_ = flags & H5F_ACC_RDWR;
    const int mode = (is_writable_ ? O_RDWR | O_NOFOLLOW | O_NONBLOCK : O_RDONLY) |
                     (flags & H5F_ACC_CREAT ? O_CREAT : 0) | (flags & H5F_ACC_EXCL ? O_EXCL : 0);
    file_ = FileDescriptor(::open(name, mode | O_CLOEXEC, 0666));
    name_ = name;
    if (!file_ || fstat(file_.get(), &identity) != 0)
        return false;
    // Also where the library is told to do without locks: a journal whose file is locked is left alone. Some
    // network file systems have no locks.
    if (is_writable_ && flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    if (flags & H5F_ACC_TRUNC) {
        unlink(journal_name(name).c_str());
        if (!set_file_size(file_.get(), 0))
            return false;
    }
    committed_end_ = file_size(file_.get());
    handle_ = {file_.get(), this};
    return true;
}

// The library has flushed before, but it may find room at the end that nobody needs, and tell the new end
// behind that. What a failed flush left goes with the file.
int JournaledFile::close() {
    if (is_writable_ && flushes_ && !given_up_ && damage_ == 0) {
        const bool is_whole = commit();
        if (!is_whole && close_error_ == 0)
            close_error_ = errno != 0 ? errno : EIO;
        if (is_whole && end < file_size(file_.get()))
            (void)!set_file_size(file_.get(), end); // that only costs space where it fails
    }
    // Gives back the room that is reserved behind the end; that only costs space where it fails.
    if (is_writable_ && damage_ == 0)
        (void)!set_file_size(file_.get(), file_size(file_.get()));
    if (file_.close() != 0 && close_error_ == 0)
        close_error_ = errno;
    return close_error_;
}

bool JournaledFile::read(std::uint64_t address, void *to, std::uint64_t bytes) const {
    if (!read_or_zeros(file_.get(), address, to, bytes))
        return false;
    for_each_page(address, bytes, [&](const PieceOfPage &piece) {
        if (const auto found = held_.find(piece.page); found != held_.end())
            std::memcpy(static_cast<char *>(to) + piece.at, found->second.data() + piece.in_page,
                        piece.bytes);
    });
    return true;
}

bool JournaledFile::write(std::uint64_t address, const void *from, std::uint64_t bytes, bool are_samples) {
    // The journal counts on the size of the file.
    if (given_up_ || damage_ != 0)
        return true;
    // At once only where nothing points to, not where something was removed since the last flush.
    return are_samples && address >= committed_end_ && !is_global_heap(from, bytes)
               ? write_samples(address, from, bytes)
               : write_structure(address, from, bytes);
}

bool JournaledFile::write_samples(std::uint64_t address, const void *from, std::uint64_t bytes) {
    for_each_page(address, bytes, [&](const PieceOfPage &piece) {
        if (const auto found = held_.find(piece.page); found != held_.end())
            std::memcpy(found->second.data() + piece.in_page, static_cast<const char *>(from) + piece.at,
                        piece.bytes);
    });
    if (defers_) {
        deferred_.push_back({address, from, bytes});
        return true;
    }
    if (!write_bytes(file_.get(), address, from, bytes))
        return false;
    if (fsync_)
        early_sync_.wrote(file_.get(), bytes);
    return true;
}

void JournaledFile::forget_deferred() {
    defers_ = false;
    deferred_.clear();
}

bool JournaledFile::write_deferred() {
    defers_ = false;
    for (const auto &samples : std::exchange(deferred_, {})) {
        if (!write_bytes(file_.get(), samples.address, samples.from, samples.bytes))
            return false;
        if (fsync_)
            early_sync_.wrote(file_.get(), samples.bytes);
    }
    return true;
}

bool JournaledFile::write_structure(std::uint64_t address, const void *from, std::uint64_t bytes) {
    bool whole = true;
    for_each_page(address, bytes, [&](const PieceOfPage &piece) {
        const auto [found, is_new] = held_.try_emplace(piece.page);
        if (is_new)
            whole &= read_or_zeros(file_.get(), piece.page, found->second.data(), journal_page_bytes);
        std::memcpy(found->second.data() + piece.in_page, static_cast<const char *>(from) + piece.at,
                    piece.bytes);
    });
    return whole;
}

bool JournaledFile::commit() {
    if (held_.empty() || given_up_ || !flushes_)
        return true;
    if (damage_ != 0) {
        errno = damage_;
        return false;
    }
    auto size = file_size(file_.get());
    if (end > size) {
        if (!set_file_size(file_.get(), end))
            return false;
        size = end;
    }
    if (!reserve_room(held_, file_.get(), committed_end_))
        return false;
    // Samples come before what points to them, and the size before the journal that counts on it.
    if (!sync())
        return false;
    // Without room for a journal, or the right to make one, a kill at this very moment is what can't be
    // helped.
    const bool is_journaled = write_journal(encode_journal(held_, size));
    if (!is_journaled && !is_lack_of_room(errno) && errno != EACCES && errno != EPERM)
        return false;
    if (!write_pages(held_, file_.get(), size)) {
        // Only the journal makes the file whole again.
        damage_ = is_journaled ? errno : 0;
        return false;
    }
    if (!sync())
        return false;
    held_.clear();
    committed_end_ = size;
    if (is_journaled)
        unlink(journal_name(name_).c_str());
    return true;
}

// Notes what goes wrong while the library closes the file instead of telling it: a file that the library
// can't close stays among its files, and crashes the process at its end.
template <class Work>
bool JournaledFile::close_anyhow(bool closing, Work work) {
    if (work())
        return true;
    if (!closing)
        return false;
    close_error_ = errno != 0 ? errno : EIO;
    given_up_ = true;
    return true;
}

bool JournaledFile::flush(bool closing) {
    return close_anyhow(closing, [&] { return commit(); });
}

// A file that is to be shorter stays as it is until it is closed: the structure that is there counts on its
// length.
bool JournaledFile::truncate(bool closing) {
    if (end <= file_size(file_.get()) || given_up_ || damage_ != 0)
        return true;
    return close_anyhow(closing, [&] { return set_file_size(file_.get(), end); });
}

bool JournaledFile::sync() {
    if (fsync_ && damage_ == 0 && !sync_to_disk(file_.get()))
        damage_ = errno;
    errno = damage_;
    return damage_ == 0;
}

bool JournaledFile::write_journal(const std::vector<unsigned char> &journal) const {
    const auto path = journal_name(name_);
    // A file of its own, and not one to which a link of this name leads.
    unlink(path.c_str());
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file && write_bytes(file.get(), 0, journal.data(), journal.size()) &&
        (!fsync_ || (sync_to_disk(file.get()) && sync_folder_of(path))) && file.close() == 0)
        return true;
    const int reason = errno;
    unlink(path.c_str());
    errno = reason;
    return false;
}

void JournaledFile::begin_to_flush(bool fsync) {
    flushes_ = true;
    fsync_ = fsync;
}

std::uint64_t JournaledFile::end_of_file() const {
    const auto size = file_size(file_.get());
    if (held_.empty() || end == HADDR_UNDEF)
        return size;
    return std::max<std::uint64_t>(size,
                                   std::min<std::uint64_t>(held_.rbegin()->first + journal_page_bytes, end));
}

} // namespace tomo::io

#endif // HAVE_HDF5
