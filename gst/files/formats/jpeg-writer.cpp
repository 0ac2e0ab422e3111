// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// JPEG by libjpeg: 8 bit, grey or in colour.

#ifdef HAVE_JPEG

#include "jpeg-errors.hpp"
#include "picture-file.hpp"

#include <cstdlib>

namespace tomo::io {

namespace {

class Encoder {
  public:
    ~Encoder() {
        jpeg_destroy_compress(&jpeg_);
        std::free(bytes_); // the library's
    }

    std::vector<unsigned char> encode(const std::string &where, const Page &page, const std::string &comment,
                                      unsigned quality) {
        const auto &plane = page.info;
        jpeg_.err = errors_.handler();
        errors_.run(where, [&] {
            jpeg_create_compress(&jpeg_);
            jpeg_mem_dest(&jpeg_, &bytes_, &size_);
            jpeg_.image_width = plane.width;
            jpeg_.image_height = plane.height;
            jpeg_.input_components = static_cast<int>(plane.depth);
            jpeg_.in_color_space = plane.depth == 3 ? JCS_RGB : JCS_GRAYSCALE;
            jpeg_set_defaults(&jpeg_);
            jpeg_set_quality(&jpeg_, static_cast<int>(quality), TRUE);
            jpeg_start_compress(&jpeg_, TRUE);
            if (!comment.empty())
                jpeg_write_marker(&jpeg_, JPEG_COM, reinterpret_cast<const JOCTET *>(comment.data()),
                                  static_cast<unsigned>(comment.size()));
            const auto row_bytes = std::size_t{plane.width} * plane.depth;
            while (jpeg_.next_scanline < jpeg_.image_height) {
                // The library does not write to what it is given.
                auto *row = const_cast<JSAMPLE *>(static_cast<const JSAMPLE *>(page.samples)) +
                            jpeg_.next_scanline * row_bytes;
                jpeg_write_scanlines(&jpeg_, &row, 1);
            }
            jpeg_finish_compress(&jpeg_);
        });
        return {bytes_, bytes_ + size_};
    }

  private:
    JpegErrors errors_;
    jpeg_compress_struct jpeg_ = {};
    unsigned char *bytes_ = nullptr;
    unsigned long size_ = 0;
};

class JpegFile final : public PictureFile {
  public:
    JpegFile(const std::string &path, Existing existing, const WriteOptions &options)
        : PictureFile(path, existing, options, "JPEG"), quality_(options.jpeg_quality) {}

  private:
    std::vector<unsigned char> encode(const Page &page) const override {
        const auto &plane = page.info;
        if (plane.format != GST_TOMO_FORMAT_UINT8)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s': JPEG has no samples of type %s", target().c_str(),
                             gst_tomo_format_to_string(plane.format)));
        std::string comment;
        for (const auto &[key, value] : words_of(page))
            comment += (comment.empty() ? "" : "\n") + key + "=" + value;
        return Encoder().encode("'" + target() + "'", page, comment, quality_);
    }

    const unsigned quality_;
};

} // namespace

std::unique_ptr<SingleFile> create_jpeg_file(const std::string &file, Existing existing,
                                             const WriteOptions &options) {
    return std::make_unique<JpegFile>(file, existing, options);
}

} // namespace tomo::io

#endif // HAVE_JPEG
