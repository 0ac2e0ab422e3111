// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"
#include <gst/files/file-writer.hpp>

namespace tomo::io {

// The open file of a result, and the names of file and dataset until the end. The caller holds Hdf5Lock.
class Hdf5Target {
  public:
    // Place of the images while they are written.
    enum class Place {
        NewFile,      // in FILE.partial, under the dataset's own name
        NewDataset,   // in FILE, as DATASET.partial
        GrownDataset, // in FILE, in a dataset that existed before
    };

    Hdf5Target(const Location &location, Existing existing, const WriteOptions &options);

    // From now on a flush makes changes part of the file.
    void begin();

    hid_t file() const { return file_.get(); }
    bool is_open() const { return static_cast<bool>(file_); }
    Place place() const { return place_; }
    const Location &location() const { return location_; } // final names

    // The present name of the dataset, without and with the file; for messages.
    std::string dataset() const;
    std::string full_name() const;
    std::string partial_dataset() const { return partial_name(location_.dataset); }
    // Whether an earlier run left the dataset under its present name.
    bool has_dataset() const { return has_dataset_; }
    // Before a new dataset is created: removes the remains of an earlier run under its name, in an existing
    // file DATASET.partial.
    void make_room_for(const std::string &dataset);

    // Throws if the disk has no room for these bytes and their structures, behind `samples_before` bytes that
    // are still to come.
    void reserve(std::uint64_t bytes, std::uint64_t samples_before = 0);

    // Gives the dataset, which must be closed, its final name, and replaces an older dataset of that name.
    void name_dataset();
    // Closes the file and gives it its final name.
    void publish();

    // Removes a dataset without images, and groups that were made for it. False where the library can't.
    [[nodiscard]] bool remove_empty_dataset();
    void flush();
    // False if the library can't write its pending changes.
    bool try_to_flush();
    // Drops all changes since the last flush.
    void give_up();
    // Closes the file after any failure; `remove` also removes a new file.
    void abandon(bool remove);

  private:
    void open_existing(Existing existing);
    void create();
    // Opens FILE.partial of an interrupted run.
    void reopen_partial();
    std::string file_name() const; // present name

    Location location_;
    const bool fsync_;
    Place place_ = Place::NewFile;
    bool has_dataset_ = false;
    bool has_partial_ = false; // this run has a DATASET.partial
    bool is_named_ = false;
    std::string first_new_; // the first part of the dataset's path that did not exist
    Hdf5Handle file_;
    std::uint64_t reserved_ = 0; // the disk has room up to this byte of the file
};

// Recovers the file and returns whether it is an HDF5 file. A process that was killed early, or with its
// machine, leaves a file that is none.
bool hdf5_was_begun(const std::string &file);

} // namespace tomo::io
