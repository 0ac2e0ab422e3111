// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// PNG by libpng. Values are given as stored: 1, 2 and 4 bit ones are not stretched, no gamma is applied. A
// palette becomes red, green and blue; channels, alpha among them, are planes.

#ifdef HAVE_PNG

#include <gst/files/byte-order.hpp>
#include <gst/files/image-reader.hpp>
#include <gst/files/input-file.hpp>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <png.h>
#include <vector>

namespace tomo::io {

namespace {

// One image being decoded. libpng's handlers must not return, and exceptions must not pass through C, so that
// they jump out of it.
class Decoder {
  public:
    explicit Decoder(const InputFile &file) : file_(file) {
        try {
            read_header();
        } catch (...) {
            png_destroy_read_struct(&png_, &info_, nullptr);
            throw;
        }
    }
    ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
    Decoder(const Decoder &) = delete;
    Decoder &operator=(const Decoder &) = delete;

    unsigned width = 0, height = 0, samples = 1, bits = 8;

    std::size_t row_bytes() const { return std::size_t{width} * samples * (bits / 8); }

    // Calls visit(row number, bytes) for each row from the first to `last`, which is not included.
    template <class Visit>
    void read(unsigned last, Visit visit) {
        bool interlaced = false;
        std::size_t row_bytes_there = 0;
        run([&] {
            if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE)
                png_set_palette_to_rgb(png_);
            else
                png_set_packing(png_);
            if (bits == 16 && host_is_little_endian)
                png_set_swap(png_);
            interlaced = png_set_interlace_handling(png_) > 1;
            png_read_update_info(png_, info_);
            row_bytes_there = png_get_rowbytes(png_, info_);
        });
        if (row_bytes_there != row_bytes())
            throw Error(GST_STREAM_ERROR_DECODE, where() + text(": its rows have %" G_GSIZE_FORMAT
                                                                " bytes, %" G_GSIZE_FORMAT " were expected",
                                                                row_bytes_there, row_bytes()));
        if (interlaced) {
            std::vector<unsigned char> pixels(row_bytes() * height);
            std::vector<png_bytep> rows(height);
            for (unsigned y = 0; y < height; y++)
                rows[y] = pixels.data() + row_bytes() * y;
            run([&] { png_read_image(png_, rows.data()); });
            for (unsigned y = 0; y < last; y++)
                visit(y, rows[y]);
        } else {
            std::vector<unsigned char> row(row_bytes());
            for (unsigned y = 0; y < last; y++) {
                run([&] { png_read_row(png_, row.data(), nullptr); });
                visit(y, row.data());
            }
            if (last < height)
                return;
        }
        run([&] { png_read_end(png_, nullptr); });
    }

  private:
    std::string where() const { return "'" + file_.path() + "'"; }

    void read_header() {
        run([&] {
            png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail,
                                          [](png_structp, png_const_charp) {});
            info_ = png_ ? png_create_info_struct(png_) : nullptr;
            if (!info_)
                return;
            png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
            png_set_read_fn(png_, this, read_bytes);
            png_read_info(png_, info_);
        });
        if (!info_)
            throw Error(GST_RESOURCE_ERROR_FAILED, where() + ": libpng can't be used; is memory left?");
        width = png_get_image_width(png_, info_);
        height = png_get_image_height(png_, info_);
        const auto colour = png_get_color_type(png_, info_);
        bits = png_get_bit_depth(png_, info_) == 16 ? 16 : 8;
        samples = colour == PNG_COLOR_TYPE_PALETTE ? 3 : png_get_channels(png_, info_);
        // Deflate makes at most 1032 bytes of one. What claims more is a forged header, and must not make
        // anybody allocate its size.
        const std::uint64_t row_bits =
            std::uint64_t{width} * png_get_channels(png_, info_) * png_get_bit_depth(png_, info_);
        std::uint64_t stored;
        if (!multiply({row_bits, height}, stored) || stored / 8 / 1032 > file_.size())
            throw Error(GST_STREAM_ERROR_DECODE,
                        where() + text(": it claims %u x %u pixels, more than a file of %" G_GUINT64_FORMAT
                                       " bytes can hold; it is truncated or damaged",
                                       width, height, file_.size()));
    }

    template <class Work>
    void run(Work work) {
        said_[0] = 0;
        if (setjmp(out_) == 0) {
            work();
            return;
        }
        throw Error(GST_STREAM_ERROR_DECODE,
                    where() + ": the PNG data can't be used (libpng: " + said_ + ")");
    }

    [[noreturn]] static void fail(png_structp png, png_const_charp what) {
        auto *self = static_cast<Decoder *>(png_get_error_ptr(png));
        g_strlcpy(self->said_, what, sizeof self->said_);
        longjmp(self->out_, 1);
    }

    static void read_bytes(png_structp png, png_bytep to, std::size_t bytes) {
        auto *self = static_cast<Decoder *>(png_get_io_ptr(png));
        bool whole = true;
        try {
            self->file_.read_at(self->at_, to, bytes, "PNG data");
        } catch (const std::exception &) {
            whole = false;
        }
        if (!whole)
            png_error(png, "the file is truncated or can't be read");
        self->at_ += bytes;
    }

    const InputFile &file_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    std::uint64_t at_ = 0;
    std::jmp_buf out_;
    char said_[200] = "";
};

class PngReader final : public ImageReader {
  public:
    PngReader(const std::string &path, const RowRegion &rows) : file_(path), rows_(rows) {
        unsigned char head[8] = {};
        file_.read_at(0, head, std::min<std::uint64_t>(sizeof head, file_.size()), "a PNG image");
        if (png_sig_cmp(head, 0, sizeof head) != 0)
            throw Error(GST_STREAM_ERROR_WRONG_TYPE,
                        text("'%s' is not a PNG file: it does not begin as one", path.c_str()));
        const Decoder image(file_);
        info_ = ArrayInfo(image.bits == 16 ? GST_TOMO_FORMAT_UINT16 : GST_TOMO_FORMAT_UINT8, image.width,
                          rows.rows_of(image.height, "'" + path + "'"), image.samples);
    }

    bool has_page(std::size_t page) override { return page == 0; }
    std::size_t pages() override { return 1; }

    ArrayInfo info(std::size_t page) override {
        if (page > 0)
            throw Error(GST_RESOURCE_ERROR_READ, text("'%s' has one page only", file_.path().c_str()));
        return info_;
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        check_destination(info(page), bytes, "'" + file_.path() + "'");
        Decoder image(file_);
        const auto size = info_.sample_size();
        auto *const planes = static_cast<unsigned char *>(destination);
        image.read(
            rows_.first + (info_.height - 1) * rows_.step + 1, [&](unsigned y, const unsigned char *row) {
                if (y < rows_.first || (y - rows_.first) % rows_.step != 0)
                    return;
                const auto wanted = (y - rows_.first) / rows_.step;
                for (unsigned plane = 0; plane < info_.depth; plane++) {
                    auto *to = planes + (std::size_t{plane} * info_.height + wanted) * info_.width * size;
                    for (std::size_t x = 0; x < info_.width; x++)
                        std::memcpy(to + x * size, row + (x * info_.depth + plane) * size, size);
                }
            });
    }

  private:
    InputFile file_;
    RowRegion rows_;
    ArrayInfo info_;
};

} // namespace

std::unique_ptr<ImageReader> open_png_reader(const std::string &file, const RowRegion &rows) {
    return std::make_unique<PngReader>(file, rows);
}

} // namespace tomo::io

#endif // HAVE_PNG
