// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "journal.hpp"
#include <gst/files/byte-order.hpp>
#include <gst/files/file-descriptor.hpp>
#include "driver.hpp"
#include <gst/files/output-file.hpp>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <utility>

namespace tomo::io {

namespace {

constexpr char magic[8] = {'T', 'O', 'M', 'O', 'J', 'R', 'N', '1'};
constexpr std::uint64_t page_bytes = 4096;
using Page = std::array<unsigned char, page_bytes>;
using Pages = std::map<std::uint64_t, Page>; // by address

std::string journal_name(const std::string &file) { return file + ".journal"; }

bool read_all(int file, std::uint64_t offset, void *to, std::uint64_t bytes) {
    auto *next = static_cast<char *>(to);
    while (bytes > 0) {
        const auto got = pread(file, next, bytes, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0) { // behind the end
            std::memset(next, 0, bytes);
            return true;
        }
        next += got;
        offset += static_cast<std::uint64_t>(got);
        bytes -= static_cast<std::uint64_t>(got);
    }
    return true;
}

bool write_all(int file, std::uint64_t offset, const void *from, std::uint64_t bytes) {
    const auto *next = static_cast<const char *>(from);
    if (!within_size_limit(offset + bytes)) {
        errno = EFBIG;
        return false;
    }
    while (bytes > 0) {
        const auto written = pwrite(file, next, bytes, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return false;
        next += written;
        offset += static_cast<std::uint64_t>(written);
        bytes -= static_cast<std::uint64_t>(written);
    }
    return true;
}

bool set_size(int file, std::uint64_t size) {
    if (!within_size_limit(size)) {
        errno = EFBIG;
        return false;
    }
    return ftruncate(file, static_cast<off_t>(size)) == 0;
}

std::uint64_t size_of(int file) {
    struct stat facts;
    return fstat(file, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

// FNV-1a.
std::uint64_t checksum(const std::vector<unsigned char> &bytes) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const auto byte : bytes)
        sum = (sum ^ byte) * 0x100000001b3;
    return sum;
}

// Magic, size of the file, pages with their addresses, checksum.
std::vector<unsigned char> encode(const Pages &pages, std::uint64_t file_size) {
    std::vector<unsigned char> bytes(sizeof magic + 8);
    std::memcpy(bytes.data(), magic, sizeof magic);
    store(bytes.data() + sizeof magic, file_size);
    for (const auto &[address, page] : pages) {
        const auto at = bytes.size();
        bytes.resize(at + 8 + page_bytes);
        store(bytes.data() + at, address);
        std::memcpy(bytes.data() + at + 8, page.data(), page_bytes);
    }
    const auto sum = checksum(bytes);
    bytes.resize(bytes.size() + 8);
    store(bytes.data() + bytes.size() - 8, sum);
    return bytes;
}

bool decode(std::vector<unsigned char> bytes, std::uint64_t file_size, Pages &pages) {
    constexpr std::size_t head = sizeof magic + 8;
    if (bytes.size() < head + 8 || (bytes.size() - head - 8) % (8 + page_bytes) != 0)
        return false;
    const auto sum = load<std::uint64_t>(bytes.data() + bytes.size() - 8);
    bytes.resize(bytes.size() - 8);
    if (std::memcmp(bytes.data(), magic, sizeof magic) != 0 || checksum(bytes) != sum ||
        load<std::uint64_t>(bytes.data() + sizeof magic) != file_size)
        return false;
    for (std::size_t at = head; at < bytes.size(); at += 8 + page_bytes)
        std::memcpy(pages[load<std::uint64_t>(bytes.data() + at)].data(), bytes.data() + at + 8, page_bytes);
    return true;
}

// That of pages behind `from`, before one of them is changed.
bool reserve_room(const Pages &pages, int file, std::uint64_t from) {
    for (auto page = pages.lower_bound(from / page_bytes * page_bytes); page != pages.end(); page++)
        if (fallocate(file, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(page->first), page_bytes) != 0 &&
            is_lack_of_room(errno))
            return false;
    return true;
}

bool apply(const Pages &pages, int file, std::uint64_t file_size) {
    for (const auto &[address, page] : pages)
        if (address < file_size &&
            !write_all(file, address, page.data(), std::min(page_bytes, file_size - address)))
            return false;
    return true;
}

struct JournaledFile;

// What the library gives out: as its own driver, a pointer to the number of the descriptor.
struct Handle {
    int descriptor;
    JournaledFile *owner;
};

struct JournaledFile : Hdf5DriverFile {
    Handle handle;
    FileDescriptor file;
    std::string name;
    bool is_writable = false;
    bool given_up = false;
    bool flushes = false;
    bool fsync = false;
    int damage = 0; // errno of what left the file as only its journal, or nobody, knows
    int close_error = 0;
    EarlySync early_sync;
    Pages held; // what is not in the file yet
    // Up to here the structure that is there may point to what is there.
    std::uint64_t committed_end = 0;

    bool read(std::uint64_t address, void *to, std::uint64_t bytes) const {
        if (!read_all(file.get(), address, to, bytes))
            return false;
        for_each_page(address, bytes,
                      [&](std::uint64_t page, std::uint64_t in_page, std::uint64_t at, std::uint64_t count) {
                          const auto found = held.find(page);
                          if (found != held.end())
                              std::memcpy(static_cast<char *>(to) + at, found->second.data() + in_page,
                                          count);
                      });
        return true;
    }

    // Only where nothing points to, not where something was removed since the last flush.
    bool may_write_at_once(std::uint64_t address) const { return address >= committed_end; }

    bool write_samples(std::uint64_t address, const void *from, std::uint64_t bytes) {
        for_each_page(address, bytes,
                      [&](std::uint64_t page, std::uint64_t in_page, std::uint64_t at, std::uint64_t count) {
                          const auto found = held.find(page);
                          if (found != held.end())
                              std::memcpy(found->second.data() + in_page,
                                          static_cast<const char *>(from) + at, count);
                      });
        if (!write_all(file.get(), address, from, bytes))
            return false;
        if (fsync)
            early_sync.wrote(file.get(), bytes);
        return true;
    }

    bool write_structure(std::uint64_t address, const void *from, std::uint64_t bytes) {
        bool whole = true;
        for_each_page(address, bytes,
                      [&](std::uint64_t page, std::uint64_t in_page, std::uint64_t at, std::uint64_t count) {
                          auto found = held.find(page);
                          if (found == held.end()) {
                              found = held.emplace(page, Page()).first;
                              whole &= read_all(file.get(), page, found->second.data(), page_bytes);
                          }
                          std::memcpy(found->second.data() + in_page, static_cast<const char *>(from) + at,
                                      count);
                      });
        return whole;
    }

    bool commit() {
        if (held.empty() || given_up || !flushes)
            return true;
        if (damage != 0) {
            errno = damage;
            return false;
        }
        auto size = size_of(file.get());
        if (end > size) {
            if (!set_size(file.get(), end))
                return false;
            size = end;
        }
        if (!reserve_room(held, file.get(), committed_end))
            return false;
        // Samples come before what points to them, and the size before the journal that counts on it.
        if (!sync())
            return false;
        // Without room for a journal, or the right to make one, a kill at this very moment is what can't be
        // helped.
        const bool is_journaled = write_journal(encode(held, size));
        if (!is_journaled && !is_lack_of_room(errno) && errno != EACCES && errno != EPERM)
            return false;
        if (!apply(held, file.get(), size)) {
            // Only the journal makes the file whole again.
            damage = is_journaled ? errno : 0;
            return false;
        }
        if (!sync())
            return false;
        held.clear();
        committed_end = size;
        if (is_journaled)
            unlink(journal_name(name).c_str());
        return true;
    }

    bool sync() {
        if (fsync && damage == 0 && !sync_to_disk(file.get()))
            damage = errno;
        errno = damage;
        return damage == 0;
    }

    // False with errno.
    bool write_journal(const std::vector<unsigned char> &bytes) const {
        const auto path = journal_name(name);
        // A file of its own, and not one to which a link of this name leads.
        unlink(path.c_str());
        FileDescriptor journal(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (journal && write_all(journal.get(), 0, bytes.data(), bytes.size()) &&
            (!fsync || (sync_to_disk(journal.get()) && sync_folder_of(path))) && journal.close() == 0)
            return true;
        const int reason = errno;
        unlink(path.c_str());
        errno = reason;
        return false;
    }

  private:
    // Calls visit(address of page, offset in it, offset in the stretch, bytes).
    template <class Visit>
    static void for_each_page(std::uint64_t address, std::uint64_t bytes, Visit visit) {
        for (std::uint64_t at = 0; at < bytes;) {
            const auto in_page = (address + at) % page_bytes;
            const auto count = std::min(page_bytes - in_page, bytes - at);
            visit(address + at - in_page, in_page, at, count);
            at += count;
        }
    }
};

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

// Some network file systems have no locks.
bool lock(int file, int kind) { return flock(file, kind | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

H5FD_t *open_file(const char *name, unsigned flags, hid_t, haddr_t) {
    const bool writable = flags & H5F_ACC_RDWR;
    const int mode = (writable ? O_RDWR : O_RDONLY) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) |
                     (flags & H5F_ACC_EXCL ? O_EXCL : 0) | (writable ? O_NOFOLLOW | O_NONBLOCK : 0);
    JournaledFile *opened = nullptr;
    guarded([&] {
        auto file = std::make_unique<JournaledFile>();
        file->file = FileDescriptor(open(name, mode | O_CLOEXEC, 0666));
        file->name = name;
        if (!file->file || fstat(file->file.get(), &file->identity) != 0)
            return false;
        // Also where the library is told to do without locks: a journal whose file is locked is left alone.
        if (writable && !lock(file->file.get(), LOCK_EX))
            return false;
        file->is_writable = writable;
        if (flags & H5F_ACC_TRUNC) {
            unlink(journal_name(name).c_str());
            if (!set_size(file->file.get(), 0))
                return false;
        }
        file->committed_end = size_of(file->file.get());
        file->handle = {file->file.get(), file.get()};
        opened = file.release();
        return true;
    });
    return opened ? &opened->base : nullptr;
}

// A file that the library can't close stays among its files, and crashes the process at its end. So it closes
// every one, and what was wrong is told aside.
int last_close_error = 0; // under Hdf5Lock

template <class Work>
bool close_anyhow(JournaledFile *file, bool closing, Work work) {
    if (work())
        return true;
    if (!closing)
        return false;
    file->close_error = errno != 0 ? errno : EIO;
    file->given_up = true;
    return true;
}

// The library has flushed before. What a failed flush left goes with the file.
herr_t close_file(H5FD_t *file) {
    const std::unique_ptr<JournaledFile> closed(of(file));
    const int descriptor = closed->file.get();
    // Gives back the room that is reserved behind the end; that only costs space where it fails.
    if (closed->is_writable && closed->damage == 0)
        (void)!set_size(descriptor, size_of(descriptor));
    if (closed->file.close() != 0 && closed->close_error == 0)
        closed->close_error = errno;
    last_close_error = closed->close_error;
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

// Strings of attributes, which the library gives out as if they were samples.
bool is_global_heap(const void *data, std::size_t bytes) {
    constexpr char signature[4] = {'G', 'C', 'O', 'L'};
    return bytes >= sizeof signature && std::memcmp(data, signature, sizeof signature) == 0;
}

herr_t write_file(H5FD_t *file, H5FD_mem_t type, hid_t, haddr_t address, std::size_t bytes,
                  const void *from) {
    return guarded([&] {
        // The journal counts on the size of the file.
        if (of(file)->given_up || of(file)->damage != 0)
            return true;
        return type == H5FD_MEM_DRAW && of(file)->may_write_at_once(address) && !is_global_heap(from, bytes)
                   ? of(file)->write_samples(address, from, bytes)
                   : of(file)->write_structure(address, from, bytes);
    });
}

herr_t flush_file(H5FD_t *file, hid_t, hbool_t closing) {
    return guarded([&] { return close_anyhow(of(file), closing, [&] { return of(file)->commit(); }); });
}

// A file that is to be shorter stays as it is until it is closed: the structure that is there counts on its
// length.
herr_t truncate_file(H5FD_t *file, hid_t, hbool_t closing) {
    return guarded([&] {
        const auto size = size_of(of(file)->file.get());
        const auto end = of(file)->end;
        if (end == size || (end < size && !closing) || of(file)->given_up || of(file)->damage != 0)
            return true;
        return close_anyhow(of(file), closing, [&] {
            return (end > size || of(file)->commit()) && set_size(of(file)->file.get(), end);
        });
    });
}

herr_t lock_file(H5FD_t *file, hbool_t exclusive) {
    return guarded([&] { return lock(of(file)->file.get(), exclusive ? LOCK_EX : LOCK_SH); });
}

herr_t unlock_file(H5FD_t *file) {
    flock(of(file)->file.get(), LOCK_UN);
    return 0;
}

herr_t descriptor(H5FD_t *file, hid_t, void **handle) {
    *handle = &of(file)->handle;
    return 0;
}

haddr_t end_of_file(const H5FD_t *file, H5FD_mem_t) {
    const auto *open = of(file);
    auto end = size_of(open->file.get());
    if (!open->held.empty() && open->end != HADDR_UNDEF)
        end = std::max<std::uint64_t>(
            end, std::min<std::uint64_t>(open->held.rbegin()->first + page_bytes, open->end));
    return end;
}

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

} // namespace

void hdf5_use_journal(hid_t access) {
    hdf5_check(H5Pset_driver(access, driver(), nullptr), GST_RESOURCE_ERROR_FAILED,
               "HDF5 takes no file driver");
}

static JournaledFile *journaled(hid_t file) {
    void *handle = nullptr;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 ? reinterpret_cast<Handle *>(handle)->owner
                                                              : nullptr;
}

void hdf5_begin_to_flush(hid_t file, bool fsync) {
    if (auto *opened = journaled(file)) {
        opened->flushes = true;
        opened->fsync = fsync;
    }
}

void hdf5_give_up(hid_t file) {
    if (auto *opened = journaled(file))
        opened->given_up = true;
    H5Eclear2(H5E_DEFAULT);
}

int hdf5_close_error() { return std::exchange(last_close_error, 0); }

void hdf5_remove_partial(const std::string &partial) {
    unlink(partial.c_str());
    unlink(journal_name(partial).c_str());
}

void hdf5_remove_journal(const std::string &file) { unlink(journal_name(file).c_str()); }

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
    std::vector<unsigned char> bytes(size_of(journal.get()));
    Pages pages;
    // One that is not whole was never used.
    if (!read_all(journal.get(), 0, bytes.data(), bytes.size()))
        throw system_error("read", name, errno, GST_RESOURCE_ERROR_READ);
    if (decode(std::move(bytes), size_of(file.get()), pages) &&
        (!apply(pages, file.get(), size_of(file.get())) || !sync_to_disk(file.get())))
        throw system_error("write", path, errno, GST_RESOURCE_ERROR_WRITE);
    unlink(name.c_str());
}

} // namespace tomo::io

#endif // HAVE_HDF5
