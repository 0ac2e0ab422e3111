// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"
#include <gst/files/file-writer.hpp>

namespace tomo::io {

// The file that a result is written to, open, and the names that file and dataset have until the end. Under
// Hdf5Lock.
class Hdf5Target {
  public:
    // Where the images are while they are written.
    enum class Place {
        NewFile,      // in FILE.partial, under the dataset's own name
        NewDataset,   // in FILE, as DATASET.partial
        GrownDataset, // in FILE, in the dataset, which was there before
    };

    Hdf5Target(const Location &location, Existing existing, const WriteOptions &options);

    // From now on a flush makes changes part of the file.
    void begin();

    hid_t file() const { return file_.get(); }
    bool is_open() const { return static_cast<bool>(file_); }
    Place place() const { return place_; }
    const Location &location() const { return location_; } // in the end

    // The name of the dataset now, and that with the file, for messages.
    std::string dataset() const;
    std::string full_name() const;
    std::string partial_dataset() const { return partial_name(location_.dataset); }
    // Whether there is a dataset under that name from before.
    bool has_dataset() const { return has_dataset_; }
    // Before a new one is made: what an earlier run left under the name is removed. In a file that was there
    // that is DATASET.partial.
    void make_room_for(const std::string &dataset);

    // Throws where the disk has no room for these bytes and the structures they need, behind samples that are
    // still to come.
    void reserve(std::uint64_t bytes, std::uint64_t samples_before = 0);

    // The dataset, which is closed, gets its own name; an older one of that name is replaced.
    void name_dataset();
    // Closes the file, which gets its own name.
    void publish();

    // Removes a dataset without images, and groups that were made for it.
    void remove_traces();
    void flush();
    // False where the library can't write what it holds.
    bool try_to_flush();
    // Lets go of what was not flushed.
    void give_up();
    // Whatever happened; a new file is removed with `remove`.
    void abandon(bool remove);

  private:
    void open_existing(Existing existing);
    void create();
    // What an interrupted run left of a new file.
    void reopen_partial();
    std::string file_name() const; // now

    Location location_;
    const bool fsync_;
    Place place_ = Place::NewFile;
    bool has_dataset_ = false;
    bool has_partial_ = false; // there is a DATASET.partial of ours
    bool is_named_ = false;
    std::string first_new_; // the first part of the dataset's path that did not exist
    Hdf5Handle file_;
    std::uint64_t reserved_ = 0; // the disk has room up to this byte of the file
};

// A process that was killed early, or with its machine, leaves a file in which nothing is yet.
bool hdf5_was_begun(const std::string &file);

} // namespace tomo::io
