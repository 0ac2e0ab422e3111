// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/file-descriptor.hpp>
#include <gst/tomo/support/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tomo::io {

// The folder of an image of OME-Zarr that is being written: NAME.partial until it is whole, then NAME.
// Folders that hold anything which this library did not write are never replaced.
class ZarrFolder {
  public:
    // Makes NAME.partial, and locks it against other writers until this object ends. With `resume`, it keeps
    // the images of an earlier run, in NAME.partial or else in NAME. Throws if something foreign is in the
    // way.
    ZarrFolder(const std::string &name, bool resume, bool fsync);
    // NAME.partial is removed if it is empty.
    ~ZarrFolder();
    ZarrFolder(const ZarrFolder &) = delete;
    ZarrFolder &operator=(const ZarrFolder &) = delete;

    // Where the image is now.
    const std::string &path() const { return path_; }
    // Whether an earlier run gave the image its name, so that nothing is written yet.
    bool is_named() const { return path_ == name_; }
    // Images of level 0 that an earlier run wrote.
    std::uint64_t images() const { return images_; }

    // Before more images are written to an image with a name: it is NAME.partial again.
    void take_back();
    // Notes that so many images are whole, for a later run.
    void note(std::uint64_t images);
    // Writes a file of the folder anew; `name` has no folder but those of levels.
    void write(const std::string &name, const std::string &contents) const;
    // Puts everything on the disk, if that was asked for, and gives the folder its name.
    void publish();
    void remove() noexcept;

  private:
    std::uint64_t noted_images() const;

    const std::string name_;
    const bool fsync_;
    const std::string boot_; // which start of the machine this is
    std::string path_;
    FileDescriptor lock_, note_;
    std::uint64_t images_ = 0;
};

// Attribute of the image with all that this library says about it.
inline constexpr char zarr_signature[] = "gst-tomo";

} // namespace tomo::io
