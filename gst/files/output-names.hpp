// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file-descriptor.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

// Names of files that are being written, and the claims on them. A file is written as NAME.partial and gets
// its own name when it is complete, so that a final name never stands for half a file.
namespace tomo::io {

// The final place of `path`, with links followed. Throws if that is a folder, a device or an input file.
// Creates missing folders.
std::string prepare_target(const std::string &path);

// Creates missing folders above `path`.
void make_folder_of(const std::string &path);

std::string partial_name(const std::string &target);

// Creates NAME.partial, empties it unless `keep`, and locks it against other writers, in this process and
// others, until the descriptor is closed. Throws if another writer has it, or if it is a link, a pipe or
// otherwise not a regular file of its own.
FileDescriptor claim_partial(const std::string &target, bool keep = false);

// The same of a folder, which is made where there is none and keeps its files; the result `target` is made in
// it.
FileDescriptor claim_folder(const std::string &folder, const std::string &target);

// Removes NAME.partial. Throws if a writer has it.
void remove_partial(const std::string &target);

// NAME.partial becomes NAME, in one step; a file of that name is replaced.
void rename_partial(const std::string &target);

// Keeps a name (of a file, a pattern or a dataset) from other writers of this process while this object
// exists. This includes writers that would write one after the other and replace each other's files. Throws
// if the name is taken.
class NameClaim {
  public:
    explicit NameClaim(const std::string &name);
    ~NameClaim();
    NameClaim(const NameClaim &) = delete;
    NameClaim &operator=(const NameClaim &) = delete;

  private:
    std::string name_;
};

// Keeps numbers of a series, also those of later files, from other processes that write files of the same
// pattern; these may write other numbers. PATTERN.partial, an empty file, holds the locks until the last
// process ends.
class SeriesClaim {
  public:
    explicit SeriesClaim(const std::string &pattern);
    ~SeriesClaim();
    SeriesClaim(const SeriesClaim &) = delete;
    SeriesClaim &operator=(const SeriesClaim &) = delete;

    // Takes `first`, `first` + `step`, ..., `count` numbers or all that follow, until this object is
    // destroyed. False if another process has some of them.
    bool take(std::uint64_t first, std::uint64_t step = 1, std::optional<std::uint64_t> count = 1);
    // Whether another process has this number and all that follow.
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
