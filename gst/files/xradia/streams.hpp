// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/image-reader.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

typedef struct _GsfInput GsfInput;

namespace tomo::io {

// The file of a Zeiss (Xradia) microscope: a compound file of Microsoft (OLE), which is a folder of streams,
// by libgsf. Names have any case. Facts are little-endian numbers without a type of their own: the name of a
// stream says what it holds. An image has a stream "ImageDataM/ImageN", N from 1 on and M for each hundred of
// them.
class XradiaFile {
  public:
    // Throws Error if it is none.
    explicit XradiaFile(const std::string &path);

    struct Unref {
        void operator()(GsfInput *input) const;
    };
    using Stream = std::unique_ptr<GsfInput, Unref>;

    const std::string &path() const { return path_; }
    Stream stream(const std::string &name) const; // null if there is none
    std::uint64_t size(const Stream &stream) const;
    void read(const Stream &stream, std::uint64_t offset, void *destination, std::size_t bytes,
              const std::string &where) const;

    // Numbers of a stream, empty if there is none.
    std::vector<double> floats(const std::string &name) const;
    std::optional<std::uint32_t> integer(const std::string &name) const;

    std::size_t images() const { return images_; } // that were taken
    unsigned width() const { return width_; }
    unsigned height() const { return height_; }
    static std::string name_of_image(std::size_t page);

  private:
    std::optional<std::uint32_t> required(const std::string &name) const;

    const std::string path_;
    Stream file_;
    std::size_t images_ = 0;
    unsigned width_ = 0, height_ = 0;
};

// The reference that a scanner took without a sample, as `dataset` of open_reader().
constexpr char xradia_reference[] = "/ReferenceData";

std::unique_ptr<ImageReader> open_xradia_reader(const Location &location, const RowRegion &rows);

} // namespace tomo::io
