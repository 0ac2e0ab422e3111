// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "compress.hpp"
#include "file.hpp"
#include <gst/files/file-writer.hpp>

namespace tomo::io {

// A dataset of images x rows x columns to which images are added: the first extent has no limit, each image
// is a row of chunks. The caller holds Hdf5Lock.
class ImageDataset {
  public:
    ImageDataset() = default;
    // Creates a dataset, and groups for it. `where` names it in errors.
    ImageDataset(hid_t file, const std::string &name, const ArrayInfo &image, unsigned deflate,
                 const std::string &where);
    // Opens an existing dataset. Throws if images can't be added to it.
    ImageDataset(hid_t file, const std::string &name, const std::string &where);

    explicit operator bool() const { return static_cast<bool>(dataset_); }
    hid_t get() const { return dataset_.get(); }
    const ArrayInfo &image() const { return image_; }
    std::uint64_t images() const { return images_; }
    // Whether its chunks are as this writer makes them, with samples as in memory.
    bool has_own_chunks() const { return has_own_chunks_; }
    // Whether the library gets the samples of an image where the caller has them, and no copy of its own.
    bool takes_samples_themselves() const {
        return has_own_chunks_ && layout_.level == 0 && layout_.rows == image_.height;
    }

    // Throws `told` if the image can't be written.
    void add(const void *samples, const ChunkedPage *chunked, const std::string &told);
    bool read(std::uint64_t image, void *samples) const;
    // The last image that was added is not there after all.
    void forget_last() { images_--; }

    // Removes all but the first `images` images. False where the library can't.
    [[nodiscard]] bool cut(std::uint64_t images);
    // Reopens the dataset first, because the library remembers the place of a chunk that it could not write,
    // and fails to remove it.
    [[nodiscard]] bool cut_to_whole_images(hid_t file, const std::string &name);

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
