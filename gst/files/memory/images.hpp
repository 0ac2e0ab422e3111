// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Images in the memory of this process. Applications lend arrays, and get results, in place of files: a name
// such as "memory:projections-1" stands wherever the name of a file may stand, as long as the images live.
#pragma once

#include <gst/tomo/device/array-layout.hpp>
#include <gst/tomo/support/references.hpp>

#include <algorithm>
#include <memory>
#include <string>

namespace tomo::io {

// Whether `path` names images in memory, or is "memory:", which stands for new ones.
GST_TOMO_API bool names_memory(const std::string &path);

class GST_TOMO_API MemoryImages {
  public:
    enum class Access { Read, Write };

    // Planes of an array of the application, packed or with a GstTomoArrayMeta. `kind` begins the name.
    static std::shared_ptr<MemoryImages> lent(const std::string &kind, GstSample *sample, Access access);
    // A name for images whose number and size become known later, by allocate().
    static std::shared_ptr<MemoryImages> reserved(const std::string &kind);
    // The images of a name. Throws if nobody lends any.
    static std::shared_ptr<MemoryImages> named(const std::string &location);

    ~MemoryImages();
    MemoryImages(const MemoryImages &) = delete;
    MemoryImages &operator=(const MemoryImages &) = delete;

    const std::string &location() const { return location_; }
    const ArrayInfo &info() const { return info_; } // depth: number of images
    const char *row(std::size_t image, std::size_t y) const;

    // Makes room for a result, or checks that the room that was lent is right for it. Throws Error.
    void allocate(const ArrayInfo &info);
    char *room_of(std::size_t image) const; // packed rows
    // Images are there up to this one. From one thread at a time.
    void note(std::size_t images) { written_ = std::max(written_, images); }
    // The images that are there, and their end as room for others; null if there is none.
    GstSample *take_result(); // transfer full

  private:
    struct Map;

    explicit MemoryImages(const std::string &kind);
    void hold(BufferRef buffer, const ArrayInfo &info, Access access);

    const std::string location_;
    ArrayInfo info_;
    BufferRef buffer_;
    std::unique_ptr<Map> map_;
    const char *first_ = nullptr;
    ArrayLayout layout_{};
    std::size_t written_ = 0;
};

} // namespace tomo::io
