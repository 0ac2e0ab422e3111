// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// JPEG by libjpeg: grey, or red, green and blue as three planes.

#ifdef HAVE_JPEG

#include <gst/files/image-reader.hpp>
#include <gst/files/input-file.hpp>
#include "jpeg-errors.hpp"

#include <vector>

namespace tomo::io {

namespace {

// One image being decoded, for as long as the object lives.
class Decoder {
  public:
    Decoder(const std::vector<unsigned char> &file, const std::string &where) : where_(where) {
        jpeg_.err = errors_.handler();
        try {
            read_header(file);
        } catch (...) {
            jpeg_destroy_decompress(&jpeg_);
            throw;
        }
    }
    ~Decoder() { jpeg_destroy_decompress(&jpeg_); }
    Decoder(const Decoder &) = delete;
    Decoder &operator=(const Decoder &) = delete;

    unsigned width() const { return jpeg_.image_width; }
    unsigned height() const { return jpeg_.image_height; }
    unsigned samples() const { return static_cast<unsigned>(jpeg_.num_components); }

    void start() {
        errors_.run(where_, [&] { jpeg_start_decompress(&jpeg_); });
    }
    void read_row(unsigned char *row) {
        errors_.run(where_, [&] { jpeg_read_scanlines(&jpeg_, &row, 1); });
    }
    // Behind the last row: what is damaged at the end is an error as well.
    void finish() {
        errors_.run(where_, [&] { jpeg_finish_decompress(&jpeg_); });
    }

  private:
    void read_header(const std::vector<unsigned char> &file) {
        errors_.run(where_, [&] {
            jpeg_create_decompress(&jpeg_);
            jpeg_.progress = &progress_;
            progress_.progress_monitor = limit_scans;
            jpeg_mem_src(&jpeg_, file.data(), file.size());
            jpeg_read_header(&jpeg_, TRUE);
        });
        if (jpeg_.num_components != 1 && jpeg_.num_components != 3)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where_ + text(": it has %d channels; supported are grey and colour images of three "
                                      "channels; convert the file first",
                                      jpeg_.num_components));
        jpeg_.out_color_space = jpeg_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    }

    // A small file may ask for any number of passes over a large image.
    static void limit_scans(j_common_ptr common) {
        constexpr int most = 500;
        if (common->is_decompressor && reinterpret_cast<j_decompress_ptr>(common)->input_scan_number > most)
            JpegErrors::stop(common, "it has too many scans; the file is damaged");
    }

    const std::string where_;
    JpegErrors errors_;
    jpeg_progress_mgr progress_ = {};
    jpeg_decompress_struct jpeg_ = {};
};

class JpegReader final : public ImageReader {
  public:
    JpegReader(const std::string &path, const RowRegion &rows) : path_(path), rows_(rows) {
        const InputFile file(path);
        if (file.size() > (std::uint64_t{1} << 31))
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s' is too large for a JPEG file", path.c_str()));
        bytes_.resize(file.size());
        file.read_at(0, bytes_.data(), bytes_.size(), "a JPEG image");
        const Decoder image(bytes_, where());
        // What no encoder packs so densely is a forged header, and must not make anybody allocate its size.
        constexpr std::uint64_t densest = 65536;
        if (std::uint64_t{image.width()} * image.height() * image.samples() / densest > bytes_.size())
            throw Error(GST_STREAM_ERROR_DECODE,
                        where() + text(": it claims %u x %u pixels, more than a file of %" G_GSIZE_FORMAT
                                       " bytes can hold; it is truncated or damaged",
                                       image.width(), image.height(), bytes_.size()));
        info_ = ArrayInfo(GST_TOMO_FORMAT_UINT8, image.width(), rows.rows_of(image.height(), where()),
                          image.samples());
    }

    bool has_page(std::size_t page) override { return page == 0; }
    std::size_t pages() override { return 1; }

    ArrayInfo info(std::size_t page) override {
        if (page > 0)
            throw Error(GST_RESOURCE_ERROR_READ, text("'%s' has one page only", path_.c_str()));
        return info_;
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        check_destination(info(page), bytes, where());
        Decoder image(bytes_, where());
        image.start();
        const unsigned samples = info_.depth;
        std::vector<unsigned char> row(std::size_t{info_.width} * samples);
        auto *const planes = static_cast<unsigned char *>(destination);
        for (unsigned y = 0; y < image.height(); y++) {
            image.read_row(row.data());
            if (y < rows_.first || (y - rows_.first) % rows_.step != 0 ||
                (y - rows_.first) / rows_.step >= info_.height)
                continue;
            const auto wanted = (y - rows_.first) / rows_.step;
            for (unsigned plane = 0; plane < samples; plane++) {
                auto *to = planes + (std::size_t{plane} * info_.height + wanted) * info_.width;
                for (unsigned x = 0; x < info_.width; x++)
                    to[x] = row[std::size_t{x} * samples + plane];
            }
        }
        image.finish();
    }

  private:
    std::string where() const { return "'" + path_ + "'"; }

    std::string path_;
    RowRegion rows_;
    std::vector<unsigned char> bytes_; // of the file
    ArrayInfo info_;
};

} // namespace

std::unique_ptr<ImageReader> open_jpeg_reader(const std::string &file, const RowRegion &rows) {
    return std::make_unique<JpegReader>(file, rows);
}

} // namespace tomo::io

#endif // HAVE_JPEG
