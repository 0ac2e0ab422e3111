// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver.hpp"
#include "journal-format.hpp"
#include <gst/files/disk.hpp>
#include <gst/files/file-descriptor.hpp>

namespace tomo::io {

// An open HDF5 file whose structure changes through a journal, as a whole with each flush(). If a function
// returns false, errno says why.
class JournaledFile : public Hdf5DriverFile {
  public:
    // The handle that the library gives to callers. As with its own driver, it begins with the descriptor.
    struct Handle {
        int descriptor;
        JournaledFile *owner;
    };

    // `flags` are the library's (H5F_ACC_...).
    bool open(const char *name, unsigned flags);
    // The errno of a failure, now or of an earlier one that the library was not told; 0 if none.
    int close();

    bool read(std::uint64_t address, void *to, std::uint64_t bytes) const;
    bool write(std::uint64_t address, const void *from, std::uint64_t bytes, bool are_samples);
    // Makes all changes since the last flush part of the file, as a whole. With `closing`, the library closes
    // the file next, and the result is always true.
    bool flush(bool closing);
    // Cuts the file to the length that the library counts.
    bool truncate(bool closing);

    void begin_to_flush(bool fsync);
    void give_up() { given_up_ = true; }

    // From now on samples are not written, but noted: their memory has to stay as it is until ...
    void defer_samples() { defers_ = true; }
    // ... this function writes them, which needs no lock. False with errno.
    bool write_deferred();
    void forget_deferred();

    std::uint64_t end_of_file() const;
    Handle *handle() { return &handle_; }
    int descriptor() const { return file_.get(); }

  private:
    bool write_samples(std::uint64_t address, const void *from, std::uint64_t bytes);
    bool write_structure(std::uint64_t address, const void *from, std::uint64_t bytes);
    bool write_journal(const std::vector<unsigned char> &journal) const;
    bool sync();
    bool commit();
    template <class Work>
    bool close_anyhow(bool closing, Work work);

    Handle handle_{-1, nullptr};
    FileDescriptor file_;
    std::string name_;
    bool is_writable_ = false;
    bool flushes_ = false;
    bool given_up_ = false;
    bool fsync_ = false;
    struct Samples {
        std::uint64_t address;
        const void *from;
        std::uint64_t bytes;
    };
    bool defers_ = false;
    std::vector<Samples> deferred_;
    int damage_ = 0;      // errno of a failure after which only the journal, if any, can repair the file
    int close_error_ = 0; // errno of a failure that the library was not told
    EarlySync early_sync_;
    JournalPages held_; // changes that are not in the file yet
    // The structure in the file may point to data before this address.
    std::uint64_t committed_end_ = 0;
};

// Writes pages into a file of `size` bytes. False with errno.
bool write_pages(const JournalPages &pages, int file, std::uint64_t size);

} // namespace tomo::io
