// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver.hpp"
#include "journal-format.hpp"
#include <gst/files/disk.hpp>
#include <gst/files/file-descriptor.hpp>

namespace tomo::io {

// An open HDF5 file whose structure changes through a journal, as a whole with each flush(). Where a function
// returns false, errno says why.
class JournaledFile : public Hdf5DriverFile {
  public:
    // What the library gives out: as its own driver, a pointer to the number of the descriptor.
    struct Handle {
        int descriptor;
        JournaledFile *owner;
    };

    // By the flags of the library (H5F_ACC_...).
    bool open(const char *name, unsigned flags);
    // The errno of what went wrong, now or before where the library must not know of it; 0 if nothing.
    int close();

    bool read(std::uint64_t address, void *to, std::uint64_t bytes) const;
    bool write(std::uint64_t address, const void *from, std::uint64_t bytes, bool are_samples);
    // What was written since the last time becomes part of the file, as a whole. With `closing` the library
    // closes the file behind it: true then in any case.
    bool flush(bool closing);
    // To the length that the library counts.
    bool truncate(bool closing);

    void begin_to_flush(bool fsync);
    void give_up() { given_up_ = true; }

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
    int damage_ = 0;      // errno of what left the file as only its journal, or nobody, knows
    int close_error_ = 0; // of what the library was not told
    EarlySync early_sync_;
    JournalPages held_; // what is not in the file yet
    // Up to here the structure that is there may point to what is there.
    std::uint64_t committed_end_ = 0;
};

// Puts pages into a file of `size` bytes. False with errno.
bool write_pages(const JournalPages &pages, int file, std::uint64_t size);

} // namespace tomo::io
