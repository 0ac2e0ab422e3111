// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "compress.hpp"
#include "file.hpp"
#include <gst/files/file-writer.hpp>

#include <memory>
#include <vector>

namespace tomo::io {

// A dataset of images x rows x columns to which images are added: the first extent has no limit. Each image
// is a row of chunks, or images are arranged in a group until they fill whole chunks. The caller holds
// Hdf5Lock, but for put() and chunks_of_group().
class ImageDataset {
  public:
    ImageDataset() = default;
    // Creates a dataset, and groups for it. `where` names it in errors.
    ImageDataset(hid_t file, const std::string &name, const ArrayInfo &image, const ChunkLayout &layout,
                 const std::string &where);
    // Opens an existing dataset. Throws if images can't be added to it.
    ImageDataset(hid_t file, const std::string &name, const std::string &where);

    explicit operator bool() const { return static_cast<bool>(dataset_); }
    hid_t get() const { return dataset_.get(); }
    const ArrayInfo &image() const { return image_; }
    std::uint64_t images() const { return images_; }
    // Images whose chunks are in the dataset; all, unless it is grouped.
    std::uint64_t stored() const { return stored_; }
    const ChunkLayout &layout() const { return layout_; }
    // Whether its chunks are as this writer makes them, with samples as in memory.
    bool has_own_chunks() const { return has_own_chunks_; }
    // Whether the library gets the samples of an image where the caller has them, and no copy of its own.
    bool takes_samples_themselves() const {
        return has_own_chunks_ && layout_.level == 0 && layout_.sizes.rows == image_.height;
    }
    bool is_grouped() const { return has_own_chunks_ && layout_.is_grouped(image_); }

    // Throws `told` if the image can't be written.
    void add(const void *samples, const ChunkedPage *chunked, const std::string &told);
    // Of grouped ones, instead: puts an image behind the others, and returns true where they fill whole
    // chunks now. Throws `told` if images that are to come into the same chunks can't be read.
    bool put(const void *samples, const std::string &told);
    // The chunks of what was put, which stay where they are until the next put().
    ChunkedPage chunks_of_group();
    void add_group(const ChunkedPage &chunks, const std::string &told);
    bool read(std::uint64_t image, void *samples);
    // What was added last is not there after all.
    void forget_last();
    // Nor what was put, but not added.
    void forget_group();

    // Removes all but the first `images` images. False where the library can't.
    [[nodiscard]] bool cut(std::uint64_t images);
    // Reopens the dataset first, because the library remembers the place of a chunk that it could not write,
    // and fails to remove it.
    [[nodiscard]] bool cut_to_whole_images(hid_t file, const std::string &name);

    bool close() { return dataset_.close(); }

  private:
    bool find_own_chunks();
    bool set_extent(std::uint64_t images) const;
    bool write_chunks(std::uint64_t first_image, const ChunkedPage &chunks) const;
    bool write_image(const void *samples, const ChunkedPage *chunked) const;
    bool write_samples(const void *samples) const;
    bool open_group(std::uint64_t images);
    bool read_stored(std::uint64_t first, std::uint64_t images, void *samples) const;
    std::uint64_t begin_of_group(std::uint64_t image) const {
        return image / layout_.sizes.images * layout_.sizes.images;
    }

    Hdf5Handle dataset_;
    Hdf5Handle sample_type_;
    ArrayInfo image_;
    ChunkLayout layout_;
    bool has_own_chunks_ = false;
    std::uint64_t images_ = 0, stored_ = 0; // whole ones
    std::uint64_t stored_before_ = 0;       // before the last ones were added
    std::unique_ptr<ChunkGroup> group_;     // of the last chunks, from their first image on
    std::vector<unsigned char> read_;       // all images of some chunks, ...
    std::uint64_t first_read_ = 0;          // ... from this one on
};

} // namespace tomo::io
