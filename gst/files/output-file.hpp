// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-descriptor.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

// A file is written under the name NAME.partial and gets its own name when it is complete, so that nobody
// ever sees half a file under a final name.
namespace tomo::io {

// Where the data of `path` will go in the end: links are followed. Throws where that is a folder, a device or
// an input, and creates the folders that are missing.
std::string prepare_target(const std::string &path);

std::string partial_name(const std::string &target);

// Creates NAME.partial, empties it unless told to keep what it holds, and locks it against other writers, in
// this process and others, until the descriptor is closed. Throws where somebody else is writing it, and
// where it is a link, a pipe or anything else that is no file of its own.
FileDescriptor claim_partial(const std::string &target, bool keep = false);

// Makes sure that the bytes from `offset` on can be written, as far as system and file system let one know
// before. `name` is for the error.
void reserve_space(int descriptor, std::uint64_t offset, std::uint64_t bytes, const std::string &name);

// Whether errno says that there is none left, or not as much as is allowed.
bool is_lack_of_room(int number);

// Removes NAME.partial, unless somebody is writing it: then throws.
void remove_partial(const std::string &target);

// Whether a limit of the process lets a file reach up to this byte; passing it would end the process by a
// signal.
bool within_size_limit(std::uint64_t end);

// Waits until what was written to a file is on the disk, as far as its file system has a way to say so. False
// with errno where that failed: then nobody knows what is there.
bool sync_to_disk(int descriptor);
// The same for the names in the folder where `file` is.
bool sync_folder_of(const std::string &file);

// Sends what is written on its way to the disk before somebody waits for it.
class EarlySync {
  public:
    void wrote(int descriptor, std::uint64_t bytes);

  private:
    std::uint64_t waiting_ = 0;
};

// NAME.partial becomes NAME, in one step; a file of that name is replaced.
void rename_partial(const std::string &target);

// Keeps a name, a pattern or a dataset, from other writers of this process while they all exist: those that
// would write it one after the other, and so replace each other's files, included. Throws where it is taken.
class NameClaim {
  public:
    explicit NameClaim(const std::string &name);
    ~NameClaim();
    NameClaim(const NameClaim &) = delete;
    NameClaim &operator=(const NameClaim &) = delete;

  private:
    std::string name_;
};

// Keeps the numbers of a series from other processes that write files of the same pattern meanwhile, also
// those that this one comes to later; others may write other numbers of it. PATTERN.partial, an empty file,
// holds the locks until the last one ends.
class SeriesClaim {
  public:
    explicit SeriesClaim(const std::string &pattern);
    ~SeriesClaim();
    SeriesClaim(const SeriesClaim &) = delete;
    SeriesClaim &operator=(const SeriesClaim &) = delete;

    // `first`, `first` + `step` ..., so many or all that follow, until this object goes. False where another
    // one has some of them.
    bool take(std::uint64_t first, std::uint64_t step = 1, std::optional<std::uint64_t> count = 1);
    // Whether another one has this number and all that follow.
    bool is_taken_for_ever(std::uint64_t number) const;
    // Whether a file was written before the first number was taken, by the clock of its file system.
    bool is_older(const std::string &file) const;

  private:
    bool lock(std::uint64_t first, std::uint64_t step, std::optional<std::uint64_t> count) const;

    std::string name_;
    FileDescriptor file_;
    std::timespec since_ = {};
    bool holds_some_ = false;
};

class OutputFile {
  public:
    enum class Begin {
        Empty,
        AsCopy,  // with what the target holds now, if there is one
        AsItWas, // with what NAME.partial holds, else the target; that is copied when something is written
    };

    // With `fsync`, a file is on the disk before it gets its name.
    OutputFile(const std::string &path, Begin begin, bool fsync);

    const std::string &target() const { return target_; }
    bool is_target() const { return is_target_; } // and nothing was written yet
    std::string partial() const { return partial_name(target_); }
    // Of what was there at first.
    std::uint64_t initial_size() const { return initial_size_; }

    // Whether the file holds these bytes.
    bool holds(std::uint64_t offset, const void *data, std::uint64_t bytes) const;
    // False where the file ends before.
    bool read_at(std::uint64_t offset, void *data, std::uint64_t bytes) const;
    void write_at(std::uint64_t offset, const void *data, std::uint64_t bytes);

    void
    complete(std::uint64_t size); // cut what is behind, and close: the file is whole, but has no name yet
    void publish();               // give it its name
    void commit(std::uint64_t size) {
        complete(size);
        publish();
    }
    // Close and leave the first `size` bytes under the name that is returned: NAME.partial, or NAME.damaged
    // where the disk may lack some of them.
    std::string keep(std::uint64_t size);
    bool is_damaged() const { return is_damaged_; }
    void discard() noexcept; // close, remove NAME.partial

  private:
    void copy_target();
    void begin_copy();

    std::string target_;
    FileDescriptor descriptor_; // of NAME.partial, or of the target as long as nothing was written
    FileDescriptor lock_;       // of a whole NAME.partial, until it has its name
    const bool fsync_;
    bool is_target_ = false;
    bool is_damaged_ = false; // syncing failed
    std::uint64_t initial_size_ = 0;
    EarlySync early_sync_;
};

} // namespace tomo::io
