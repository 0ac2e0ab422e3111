// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tomo::io {

// One run's files of a dataset, which differ by their number only.
struct Hdf5PartRun {
    char letter = 'a'; // from 'a' to 'z', another one for each run whose files are there
    unsigned parts = 1;

    bool operator==(const Hdf5PartRun &other) const { return letter == other.letter && parts == other.parts; }
};

// The names of the files in FILE.parts that hold the images of one dataset of FILE:
// entry.data.data-a-000-of-008.h5. Those from entry.data.data-a-008-of-008.h5 on hold a pyramid.
// Until FILE stands upon the files of a run, there is also the empty file
// entry.data.data-a-of-008.unfinished.
class Hdf5PartNames {
  public:
    // `location` is the final place, with links followed.
    explicit Hdf5PartNames(const Location &location);

    const std::string &file() const { return file_; }
    const std::string &folder() const { return folder_; }
    std::string path(const Hdf5PartRun &run, unsigned number) const {
        return folder_ + "/" + name(run, number);
    }
    // The file as a virtual dataset of FILE names it.
    std::string source(const Hdf5PartRun &run, unsigned number) const;

    // The run upon whose files the dataset in the open FILE stands.
    std::optional<Hdf5PartRun> standing(hid_t file) const;
    // The last one that did not come to its end, and which a run that resumes takes. Without a mark, a
    // NAME.partial tells it.
    std::optional<Hdf5PartRun> unfinished() const;
    // One that finished, but FILE does not stand upon it: FILE got another name, and needs it there.
    std::optional<Hdf5PartRun> foreign(const std::optional<Hdf5PartRun> &standing) const;
    // A letter without files that somebody may need.
    char free_letter(const std::optional<Hdf5PartRun> &standing) const;

    // Says on the disk that FILE does not stand upon the files of this run yet, or that it does. Makes the
    // folder.
    void mark_unfinished(const Hdf5PartRun &run) const;
    void mark_finished(const Hdf5PartRun &run) const;
    // Of a run without any file nothing stays, nor the folder if it is empty.
    void forget_empty(const Hdf5PartRun &run) const;

    // Removes a file, its NAME.partial and their journals. Throws where a writer has it.
    void remove(const Hdf5PartRun &run, unsigned number) const;
    // Removes the files of `replaced` and of all unfinished runs, and an empty folder. What a writer has
    // stays.
    void clean(const std::optional<Hdf5PartRun> &replaced) const;

  private:
    struct Found {
        Hdf5PartRun run;
        bool is_finished = true;
        std::filesystem::file_time_type time; // of its newest file
        std::set<unsigned> numbers;
    };
    std::vector<Found> find() const;
    std::string name(const Hdf5PartRun &run, unsigned number) const;
    std::string mark_of(const Hdf5PartRun &run) const;
    // A number of a file, or none in the name of a mark.
    struct Parsed {
        Hdf5PartRun run;
        std::optional<unsigned> number;
    };
    std::optional<Parsed> parse(const std::string &name) const;

    const std::string file_, dataset_, folder_, folder_name_, prefix_;
};

} // namespace tomo::io
