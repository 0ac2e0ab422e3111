// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-descriptor.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

// Names that are being written, and who may write them.
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

// Removes NAME.partial, unless somebody is writing it: then throws.
void remove_partial(const std::string &target);

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

} // namespace tomo::io
