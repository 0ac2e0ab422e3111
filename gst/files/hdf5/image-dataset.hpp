// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "compress.hpp"
#include "file.hpp"
#include <gst/files/file-writer.hpp>

namespace tomo::io {

// A dataset of images x rows x columns to which images are added: the first extent without limit, each image
// a row of chunks. Under Hdf5Lock.
class ImageDataset {
  public:
    ImageDataset() = default;
    // Makes one, and groups for it. `where` names it in errors.
    ImageDataset(hid_t file, const std::string &name, const ArrayInfo &image, unsigned deflate,
                 const std::string &where);
    // One that is there; throws where images can't be added to it.
    ImageDataset(hid_t file, const std::string &name, const std::string &where);

    explicit operator bool() const { return static_cast<bool>(dataset_); }
    hid_t get() const { return dataset_.get(); }
    const ArrayInfo &image() const { return image_; }
    std::uint64_t images() const { return images_; }
    // Whether its images are stored as this writer would store them: as chunks of samples as they lie in
    // memory.
    bool has_own_chunks() const { return has_own_chunks_; }

    // Throws `told` where it can't be written.
    void add(const void *samples, const ChunkedPage *chunked, const std::string &told);
    bool read(std::uint64_t image, void *samples) const;

    // Leaves only the first images.
    bool cut(std::uint64_t images);
    // The library still remembers the place of a chunk that it could not write, and fails to remove it; a
    // dataset that was opened anew does not.
    void cut_to_whole_images(hid_t file, const std::string &name);

    bool close() { return dataset_.close(); }

  private:
    bool find_own_chunks();
    bool set_extent(std::uint64_t images) const;
    bool write_chunks(const void *samples, const ChunkedPage *chunked);
    bool write_samples(const void *samples) const;

    Hdf5Handle dataset_;
    Hdf5Handle sample_type_;
    ArrayInfo image_;
    ChunkLayout layout_;
    bool has_own_chunks_ = false;
    std::uint64_t images_ = 0; // whole ones
};

} // namespace tomo::io
