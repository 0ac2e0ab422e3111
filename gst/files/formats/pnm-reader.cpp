// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// PGM and PPM of the Netpbm family, binary and as text. Binary files may hold several images. Values are
// given as stored; a largest value below 255 or 65535 does not stretch them. Source: Netpbm's descriptions of
// pgm(5) and ppm(5).

#include <gst/files/byte-order.hpp>
#include <gst/files/stored-samples.hpp>
#include <gst/files/successive-images.hpp>

#include <vector>

namespace tomo::io {

namespace {

class PnmReader final : public SuccessiveImages {
  public:
    PnmReader(const std::string &path, const RowRegion &rows) : SuccessiveImages(path), rows_(rows) {
        follow();
        rows_.rows_of(images_[0].height, where(0));
    }

    ArrayInfo info(std::size_t page) override {
        const auto &image = at(page);
        return ArrayInfo(image.type.format, image.width, rows_.rows_of(image.height, where(page)),
                         image.samples);
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        const auto wanted = info(page);
        check_destination(wanted, bytes, where(page));
        const auto &image = at(page);
        if (!image.as_text && image.samples == 1) {
            read_stored_rows(file_, image.offset, image.type, image.width, image.height, rows_, destination,
                             where(page));
            return;
        }
        const auto size = wanted.sample_size();
        const RowRegion region = rows_;
        std::vector<unsigned char> rows;
        if (image.as_text) {
            rows = parse_samples(image);
        } else {
            rows.resize(bytes);
            read_stored_rows(file_, image.offset, image.type, image.width * image.samples, image.height,
                             rows_, rows.data(), where(page));
        }
        auto *to = static_cast<unsigned char *>(destination);
        for (unsigned plane = 0; plane < image.samples; plane++)
            for (unsigned row = 0; row < wanted.height; row++) {
                const auto from = image.as_text ? region.first + std::uint64_t{row} * region.step : row;
                for (unsigned x = 0; x < image.width; x++, to += size)
                    std::memcpy(to, rows.data() + ((from * image.width + x) * image.samples + plane) * size,
                                size);
            }
    }

  private:
    struct Image {
        std::uint64_t offset = 0;
        unsigned width = 0, height = 0, samples = 1, largest = 0;
        bool as_text = false;
        StoredType type;
    };

    std::string where(std::size_t page) const {
        return text("'%s', page %" G_GSIZE_FORMAT, file_.path().c_str(), page);
    }

    [[noreturn]] void fail(const std::string &what) const {
        throw Error(GST_STREAM_ERROR_DECODE, where(images_.size()) + ": " + what);
    }

    const Image &at(std::size_t page) {
        if (!has_page(page))
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + text(": there are only %" G_GSIZE_FORMAT " pages", images_.size()));
        return images_[page];
    }

    unsigned char next_byte() {
        constexpr std::uint64_t step = 4096;
        if (next_ >= file_.size())
            fail("its header does not end; the file is truncated or damaged");
        if (next_ < buffer_begin_ || next_ >= buffer_begin_ + buffer_.size()) {
            buffer_begin_ = next_;
            buffer_.resize(std::min(step, file_.size() - next_));
            file_.read_at(next_, buffer_.data(), buffer_.size(), "a header");
        }
        return buffer_[next_++ - buffer_begin_];
    }

    // A number and the one blank behind it.
    unsigned number(unsigned most, const char *name) {
        unsigned char byte = next_byte();
        while (g_ascii_isspace(byte) || byte == '#') {
            if (byte == '#')
                while (byte != '\n' && byte != '\r')
                    byte = next_byte();
            byte = next_byte();
        }
        std::uint64_t value = 0;
        if (!g_ascii_isdigit(byte))
            fail(text("its header has no number where the %s should be; the file is damaged", name));
        for (; g_ascii_isdigit(byte); byte = next_byte()) {
            value = 10 * value + (byte - '0');
            if (value > most)
                fail(text("the %s is more than %u", name, most));
        }
        if (!g_ascii_isspace(byte))
            fail(text("'%c' follows the %s; the file is damaged", g_ascii_isprint(byte) ? byte : '?', name));
        return static_cast<unsigned>(value);
    }

    std::size_t found() const override { return images_.size(); }

    void follow() override {
        const auto first = next_byte(), second = next_byte();
        if (first != 'P' || second < '1' || second > '7')
            fail(images_.empty() ? "this is not a PGM or PPM file: it does not begin as one"
                                 : "something that is no image follows the one before; the file is damaged");
        if (second != '2' && second != '3' && second != '5' && second != '6')
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where(images_.size()) +
                            text(": it is of the kind P%c; supported are grey (P2, P5) and "
                                 "colour (P3, P6) images; convert the file first",
                                 second));
        Image image;
        image.as_text = second < '4';
        image.samples = second == '3' || second == '6' ? 3 : 1;
        image.width = number(G_MAXINT / 4, "width");
        image.height = number(G_MAXINT / 4, "height");
        image.largest = number(65535, "largest value");
        if (!image.width || !image.height || !image.largest)
            fail("an image without pixels or values can't be; the file is damaged");
        const bool wide = image.largest > 255;
        image.type =
            stored_as(wide ? GST_TOMO_FORMAT_UINT16 : GST_TOMO_FORMAT_UINT8, wide && host_is_little_endian);
        image.offset = next_;
        std::uint64_t samples, bytes;
        if (!multiply({image.width, image.height, image.samples}, samples) ||
            !stored_size(image.type, samples, 1, bytes) ||
            // as text a sample has a digit and a blank, but for the last
            (image.as_text ? samples * 2 - 1 : bytes) > file_.size() - next_)
            fail(text("an image of %u x %u pixels does not fit in the file of %" G_GUINT64_FORMAT
                      " bytes; it is truncated or damaged",
                      image.width, image.height, file_.size()));
        next_ = image.as_text ? file_.size() : next_ + bytes; // text is a single image
        images_.push_back(image);
    }

    std::vector<unsigned char> parse_samples(const Image &image) const {
        std::string characters(file_.size() - image.offset, ' ');
        file_.read_at(image.offset, &characters[0], characters.size(), where(0));
        const std::uint64_t count = std::uint64_t{image.width} * image.height * image.samples;
        const auto size = gst_tomo_format_get_size(image.type.format);
        std::vector<unsigned char> samples(count * size);
        std::size_t at = 0;
        for (std::uint64_t i = 0; i < count; i++) {
            while (at < characters.size() && (g_ascii_isspace(characters[at]) || characters[at] == '#')) {
                if (characters[at] == '#')
                    at = std::min(characters.find('\n', at), characters.size());
                else
                    at++;
            }
            if (at == characters.size() || !g_ascii_isdigit(characters[at]))
                throw Error(GST_STREAM_ERROR_DECODE,
                            where(0) + text(": sample %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                            " is no number; the file is truncated or damaged",
                                            i, count));
            unsigned value = 0;
            for (; at < characters.size() && g_ascii_isdigit(characters[at]); at++) {
                value = 10 * value + static_cast<unsigned>(characters[at] - '0');
                if (value > image.largest)
                    throw Error(GST_STREAM_ERROR_DECODE,
                                where(0) + text(": sample %" G_GUINT64_FORMAT
                                                " is more than the largest value that the header names, %u",
                                                i, image.largest));
            }
            if (size == 1)
                samples[i] = static_cast<unsigned char>(value);
            else
                store(samples.data() + 2 * i, static_cast<std::uint16_t>(value));
        }
        return samples;
    }

    RowRegion rows_;
    std::vector<Image> images_;
    std::vector<unsigned char> buffer_;
    std::uint64_t buffer_begin_ = 0;
};

} // namespace

std::unique_ptr<ImageReader> open_pnm_reader(const std::string &file, const RowRegion &rows) {
    return std::make_unique<PnmReader>(file, rows);
}

} // namespace tomo::io
