// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// PNG by libpng: 8 or 16 bit, grey or in colour.

#ifdef HAVE_PNG

#include "picture-file.hpp"
#include "png.hpp"
#include <gst/files/byte-order.hpp>

#include <csetjmp>
#include <new>
#include <png.h>
#include <zlib.h>

namespace tomo::io {

namespace {

// libpng's handlers must not return, and exceptions must not pass through C, so that they jump out of it.
class Encoder {
  public:
    ~Encoder() { png_destroy_write_struct(&png_, &info_); }

    using Words = std::vector<std::pair<std::string, std::string>>;

    // Where samples are what a slice looks like, differences from one to the next pack as well as anything,
    // and in a fifth of the time. Masks and charts pack better by what is usual.
    enum class Packing { usual, of_slices };

    std::vector<unsigned char> encode(const std::string &where, const Page &page, Words words,
                                      Packing packing = Packing::usual) {
        const auto &plane = page.info;
        words_ = std::move(words);
        for (auto &[key, value] : words_) {
            png_text text = {};
            text.compression = PNG_TEXT_COMPRESSION_NONE;
            text.key = key.data();
            text.text = value.data();
            texts_.push_back(text);
        }
        const bool wide = plane.format == GST_TOMO_FORMAT_UINT16;
        const auto row_bytes = std::size_t{plane.width} * plane.sample_size() * plane.depth;
        if (setjmp(out_) != 0)
            throw Error(GST_STREAM_ERROR_ENCODE,
                        where + ": the image can't be written as PNG (libpng: " + said_ + ")");
        png_ =
            png_create_write_struct(PNG_LIBPNG_VER_STRING, this, fail, [](png_structp, png_const_charp) {});
        info_ = png_ ? png_create_info_struct(png_) : nullptr;
        if (!info_)
            throw Error(GST_RESOURCE_ERROR_FAILED, where + ": libpng can't be used; is memory left?");
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        png_set_write_fn(png_, this, append, [](png_structp) {});
        png_set_IHDR(png_, info_, plane.width, plane.height, wide ? 16 : 8,
                     plane.depth == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        if (packing == Packing::of_slices) {
            png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
            png_set_compression_strategy(png_, Z_RLE);
        }
        if (!texts_.empty())
            png_set_text(png_, info_, texts_.data(), static_cast<int>(texts_.size()));
        png_write_info(png_, info_);
        if (wide && host_is_little_endian)
            png_set_swap(png_);
        for (unsigned y = 0; y < plane.height; y++)
            png_write_row(png_, static_cast<png_const_bytep>(page.samples) + y * row_bytes);
        png_write_end(png_, info_);
        return std::move(bytes_);
    }

  private:
    [[noreturn]] static void fail(png_structp png, png_const_charp what) {
        auto *self = static_cast<Encoder *>(png_get_error_ptr(png));
        g_strlcpy(self->said_, what, sizeof self->said_);
        longjmp(self->out_, 1);
    }

    static void append(png_structp png, png_bytep from, std::size_t bytes) {
        auto *self = static_cast<Encoder *>(png_get_io_ptr(png));
        bool fits = true;
        try {
            self->bytes_.insert(self->bytes_.end(), from, from + bytes);
        } catch (const std::bad_alloc &) {
            fits = false;
        }
        if (!fits)
            png_error(png, "no memory is left");
    }

    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    Words words_;
    std::vector<png_text> texts_; // point to these
    std::vector<unsigned char> bytes_;
    std::jmp_buf out_;
    char said_[200] = "";
};

class PngFile final : public PictureFile {
  public:
    PngFile(const std::string &path, Existing existing, const WriteOptions &options)
        : PictureFile(path, existing, options, "PNG") {}

  private:
    std::vector<unsigned char> encode(const Page &page) const override {
        const auto &plane = page.info;
        if (plane.format != GST_TOMO_FORMAT_UINT8 && plane.format != GST_TOMO_FORMAT_UINT16)
            throw Error(GST_STREAM_ERROR_FORMAT, text("'%s': PNG has no samples of type %s", target().c_str(),
                                                      gst_tomo_format_to_string(plane.format)));
        return Encoder().encode("'" + target() + "'", page, words_of(page));
    }
};

} // namespace

std::vector<unsigned char> png_of(const ArrayInfo &image, const void *samples, Encoder::Words words) {
    return Encoder().encode("a picture", {image, samples, {}}, std::move(words), Encoder::Packing::of_slices);
}

std::unique_ptr<SingleFile> create_png_file(const std::string &file, Existing existing,
                                            const WriteOptions &options) {
    return std::make_unique<PngFile>(file, existing, options);
}

} // namespace tomo::io

#endif // HAVE_PNG
