// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The folder in which slabs wait to be joined to one result. It holds a file for each slab, whose name is a
// number, and a list of the dataflows that make them.
#pragma once

#include <gst/files/file-descriptor.hpp>
#include <gst/reconstruction/plan.hpp>

namespace tomo::reconstruction {

class SlabFolder {
  public:
    explicit SlabFolder(const Plan &plan) : plan_(plan) {}

    // Most images of a slab in the interrupted run of a cluster whose slabs are there.
    std::optional<unsigned> most_images_of_earlier() const;

    // Makes the folder ready for slabs of this plan, and keeps it from other runs until the descriptor is
    // closed. Those of an earlier run that are whole stay with `resume`, if the same dataflows made them.
    // Throws Error if others did, or another run has the folder.
    [[nodiscard]] io::FileDescriptor prepare(bool resume) const;
    bool has(const Slab &slab) const;
    void remove(const Slab &slab) const;
    // Throws Error unless the files in the folder are the slabs of this plan, each with all its images.
    void check() const;
    // Removes slabs of all runs, and the folder if nothing else is in it.
    void remove() const;
    // The same where no slab of any run is in it yet, whole or not.
    void remove_without_slabs() const;

  private:
    std::string problem(const Slab &slab) const; // "" where it has all its images
    void remove_files() const;
    std::string notes_path() const;
    std::string list_of_lines() const;
    void refuse_others() const;

    const Plan &plan_;
};

} // namespace tomo::reconstruction
