// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// TIFF by libtiff. Values are given as stored: min-is-white is not inverted, a palette is not looked up,
// alpha is a plane like any other. 8 bit signed integers become int16, packed 12 bit ones uint16. Strips and
// tiles that are not compressed are read past libtiff, only the rows that are wanted, straight to where they
// belong. A stack of ImageJ beyond 4 GiB has one directory, and all images behind each other; so have
// truncated files of tifffile.

#ifdef HAVE_TIFF

#include <gst/files/byte-order.hpp>
#include <gst/files/image-reader.hpp>
#include "directories.hpp"
#include "stack.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <tiffio.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tomo::io {

namespace {

// Collects what libtiff has to say, which otherwise goes to standard error.
struct Complaint {
    std::string first;

    static int keep(TIFF *, void *user_data, const char *, const char *format, va_list arguments) {
        auto &first = static_cast<Complaint *>(user_data)->first;
        if (first.empty()) {
            std::unique_ptr<char, decltype(&g_free)> said(g_strdup_vprintf(format, arguments), g_free);
            first = said.get();
            while (!first.empty() && (first.back() == '.' || first.back() == '\n'))
                first.pop_back();
        }
        return 1; // nobody else is to be told
    }
    static int ignore(TIFF *, void *, const char *, const char *, va_list) { return 1; }
};

struct TiffClose {
    void operator()(TIFF *tiff) const { TIFFClose(tiff); }
};
using TiffHandle = std::unique_ptr<TIFF, TiffClose>;

// How stored samples become samples of the page.
enum class Unpacking { Copy, WidenInt8, Packed12, Int64ToDouble, UInt64ToDouble };

// What the directory of a page says.
struct Page {
    std::uint32_t width = 0, height = 0;
    std::uint16_t samples = 1; // per pixel
    std::uint16_t bits = 1;
    GstTomoFormat format = GST_TOMO_FORMAT_UNKNOWN;
    Unpacking unpacking = Unpacking::Copy;
    bool separate = false; // one stored plane for each sample
    bool tiled = false;
    bool direct = false; // stored bytes are samples: not compressed, bits in order
    std::uint32_t block_width = 0, block_height = 0; // of a strip or tile
    std::uint64_t block_row_bytes = 0;
    std::uint64_t block_bytes = 0;

    unsigned stored_samples() const { return separate ? 1 : samples; } // of a pixel in a block
};

// The most bytes that one stored byte can become, by how the methods encode a run; a page beyond that is a
// forged header and must not make anybody allocate its size. The last is generous, for zstd and its like.
std::uint64_t greatest_expansion(std::uint16_t compression) {
    switch (compression) {
    case COMPRESSION_NONE:
        return 1;
    case COMPRESSION_PACKBITS:
        return 64;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
        return 1040;
    case COMPRESSION_LZW:
        return 4096;
    default:
        return 65536;
    }
}

class TiffReader final : public ImageReader {
  public:
    TiffReader(const std::string &path, const RowRegion &rows)
        : file_(path), directories_(file_), rows_(rows) {
        std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
        TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Complaint::keep, &complaint_);
        TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Complaint::ignore, nullptr);
        const auto most =
            std::min<std::uint64_t>(file_.size(), std::numeric_limits<std::int32_t>::max()) * 256;
        TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(most + (64 << 20)));

        if (!directories_.has(0))
            throw Error(
                GST_STREAM_ERROR_DECODE,
                text("'%s' holds no image%s", path.c_str(),
                     directories_.left_out() > 0 ? ", only previews or masks of one (NewSubfileType)" : ""));
        // libtiff closes the descriptor it is given. No memory map (m): a file that shrinks would be a bus
        // error. Header only (h): the directories come one by one.
        FileDescriptor own(dup(file_.descriptor()));
        if (!own)
            throw system_error("open", path, errno, GST_RESOURCE_ERROR_OPEN_READ);
        tiff_.reset(TIFFFdOpenExt(own.get(), path.c_str(), "rmh", options.get()));
        if (!tiff_)
            fail("it can't be opened");
        own.release();
        select(0);
        find_stack();
    }

    bool has_page(std::size_t page) override { return stack_ > 1 ? page < stack_ : directories_.has(page); }
    std::size_t pages() override { return stack_ > 1 ? stack_ : directories_.count(); }

    ArrayInfo info(std::size_t page) override {
        select(page);
        return ArrayInfo(page_.format, page_.width, rows_.rows_of(page_.height, where()), page_.samples);
    }

    bool has_separate_planes(std::size_t page) override {
        select(page);
        return page_.separate;
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        const auto wanted = info(page);
        check_destination(wanted, bytes, where());
        wanted_rows_ = wanted.height;
        sample_size_ = wanted.sample_size();
        destination_ = static_cast<unsigned char *>(destination);
        if (page_.direct)
            read_direct();
        else
            read_blocks();
    }

    // Decodes no strips and tiles but those with wanted rows.
    void read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride) override {
        const auto whole = info(page);
        if (whole.depth > 1)
            return ImageReader::read_part(page, part, destination, row_stride);
        const auto wanted = part.of(whole, where());
        const std::size_t size = whole.sample_size(), row_bytes = whole.width * size;
        std::vector<unsigned char> rows(wanted.height * row_bytes);
        const auto all = std::exchange(rows_, part.within(rows_).rows);
        try {
            read(page, rows.data(), rows.size());
        } catch (...) {
            rows_ = all;
            throw;
        }
        rows_ = all;
        for (unsigned y = 0; y < wanted.height; y++)
            std::memcpy(static_cast<char *>(destination) + y * row_stride,
                        rows.data() + y * row_bytes + part.first_column * size, wanted.width * size);
    }

  private:
    std::string where() const { return text("'%s', page %" G_GSIZE_FORMAT, file_.path().c_str(), current_); }

    [[noreturn]] void fail(const std::string &what) {
        std::string said;
        said.swap(complaint_.first);
        throw Error(GST_STREAM_ERROR_DECODE,
                    where() + ": " + what + (said.empty() ? "" : " (libtiff: " + said + ")"));
    }

    [[noreturn]] void refuse(const std::string &what) {
        throw Error(GST_STREAM_ERROR_FORMAT, where() + ": " + what);
    }

    template <class Value>
    Value tag(std::uint32_t name, Value fallback) {
        Value value = fallback;
        return TIFFGetFieldDefaulted(tiff_.get(), name, &value) ? value : fallback;
    }

    void select(std::size_t page) {
        if (page == current_ && page_.width)
            return;
        if (!has_page(page))
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("'%s' has %" G_GSIZE_FORMAT " pages, page %" G_GSIZE_FORMAT
                             " (counted from 0) was asked for",
                             file_.path().c_str(), pages(), page));
        current_ = page;
        if (stack_ > 1)
            return;
        page_ = Page();
        complaint_.first.clear();
        if (!TIFFSetSubDirectory(tiff_.get(), directories_.offset(page)))
            fail("its directory can't be read");
        // Known only when all of it is: a page that was refused once is refused again.
        page_ = describe_page();
    }

    // Whether the only directory stands for many images.
    void find_stack() {
        char *said = nullptr;
        if (!TIFFGetField(tiff_.get(), TIFFTAG_IMAGEDESCRIPTION, &said) || !said)
            return;
        const std::uint64_t page_bytes = page_.block_row_bytes * page_.height;
        const auto images =
            tiff_stack_images(said, std::uint64_t{page_.width} * page_.height * page_.samples);
        if (images <= 1 || directories_.has(1))
            return;
        int error = 0;
        const auto first = TIFFGetStrileOffsetWithErr(tiff_.get(), 0, &error);
        bool gapless = page_.direct && !page_.tiled && page_.stored_samples() == page_.samples && !error;
        for (std::uint32_t strip = 1; gapless && strip < TIFFNumberOfStrips(tiff_.get()); strip++)
            gapless = TIFFGetStrileOffsetWithErr(tiff_.get(), strip, &error) ==
                      first + std::uint64_t{strip} * page_.block_bytes;
        if (!gapless)
            refuse(text("it is said to be the first of %" G_GUINT64_FORMAT
                        " images, which are not behind each other in the file; convert the file first",
                        images));
        if (first > file_.size() || images > (file_.size() - first) / page_bytes)
            fail(text("it is said to be the first of %" G_GUINT64_FORMAT
                      " images, but the file of %" G_GUINT64_FORMAT
                      " bytes has no room for them; it is truncated or damaged",
                      images, file_.size()));
        stack_ = images;
    }

    Page describe_page() {
        Page page;
        auto *tiff = tiff_.get();
        page.width = tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
        page.height = tag<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
        page.samples = tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
        page.bits = tag<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
        page.separate =
            tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
        page.tiled = TIFFIsTiled(tiff);
        const auto compression = tag<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
        if (!page.width || !page.height || !page.samples)
            fail(text("an image of %u x %u pixels with %u samples can't be", page.width, page.height,
                      page.samples));
        if (!TIFFIsCODECConfigured(compression))
            refuse(text("it is compressed by method %u, which this libtiff was built without", compression));

        choose_format(page);
        check_colour(page, compression);
        const auto order = tag<std::uint16_t>(TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
        page.direct = compression == COMPRESSION_NONE && order == FILLORDER_MSB2LSB;

        std::uint64_t bits;
        if (!multiply({page.width, page.height, page.samples, page.bits}, bits) ||
            bits / 8 / greatest_expansion(compression) > file_.size())
            fail(text(
                "it claims %u x %u pixels with %u samples of %u bits, more than a file of %" G_GUINT64_FORMAT
                " bytes can hold; it is truncated or damaged",
                page.width, page.height, page.samples, page.bits, file_.size()));

        describe_blocks(page, greatest_expansion(compression));
        return page;
    }

    void choose_format(Page &page) {
        const auto kind = tag<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
        // "Void" is data that nobody described; like a missing tag it counts as unsigned.
        const bool is_unsigned = kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID;
        const bool is_signed = kind == SAMPLEFORMAT_INT;
        const bool is_float = kind == SAMPLEFORMAT_IEEEFP;

        if (page.bits == 8 && is_unsigned)
            page.format = GST_TOMO_FORMAT_UINT8;
        else if (page.bits == 8 && is_signed)
            page.format = GST_TOMO_FORMAT_INT16, page.unpacking = Unpacking::WidenInt8;
        else if (page.bits == 12 && is_unsigned)
            page.format = GST_TOMO_FORMAT_UINT16, page.unpacking = Unpacking::Packed12;
        else if (page.bits == 16 && kind != SAMPLEFORMAT_COMPLEXINT)
            page.format = is_float    ? GST_TOMO_FORMAT_FLOAT16
                          : is_signed ? GST_TOMO_FORMAT_INT16
                                      : GST_TOMO_FORMAT_UINT16;
        else if (page.bits == 32 && (is_unsigned || is_signed || is_float))
            page.format = is_float    ? GST_TOMO_FORMAT_FLOAT32
                          : is_signed ? GST_TOMO_FORMAT_INT32
                                      : GST_TOMO_FORMAT_UINT32;
        else if (page.bits == 64 && is_float)
            page.format = GST_TOMO_FORMAT_FLOAT64;
        else if (page.bits == 64 && is_unsigned)
            page.format = GST_TOMO_FORMAT_FLOAT64, page.unpacking = Unpacking::UInt64ToDouble;
        else if (page.bits == 64 && is_signed)
            page.format = GST_TOMO_FORMAT_FLOAT64, page.unpacking = Unpacking::Int64ToDouble;
        else if (page.bits == 64 && kind == SAMPLEFORMAT_COMPLEXIEEEFP)
            page.format = GST_TOMO_FORMAT_COMPLEX64;
        else
            refuse(text("samples are %u bit %s; supported are 8, 12, 16, 32 and 64 bit unsigned, 8, 16, 32 "
                        "and 64 bit "
                        "signed integers, 16, 32 and 64 bit floats and complex of two 32 bit floats; convert "
                        "the file first",
                        page.bits,
                        is_unsigned ? "unsigned integers"
                        : is_signed ? "signed integers"
                        : is_float  ? "floats"
                                    : text("of sample format %u", kind).c_str()));
    }

    void check_colour(const Page &page, std::uint16_t compression) {
        const auto photometric = tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        if (photometric == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG)
            TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        else if (page.samples > 1 && photometric == PHOTOMETRIC_YCBCR)
            refuse("colours are stored as YCbCr; convert the file to RGB or grey first");
        else if (photometric == PHOTOMETRIC_LOGL || photometric == PHOTOMETRIC_LOGLUV)
            refuse("values are stored as logarithmic luminance (LogLuv); convert the file to float first");
    }

    void describe_blocks(Page &page, std::uint64_t expansion) {
        auto *tiff = tiff_.get();
        page.block_width = page.width;
        if (page.tiled) {
            page.block_width = tag<std::uint32_t>(TIFFTAG_TILEWIDTH, 0);
            page.block_height = tag<std::uint32_t>(TIFFTAG_TILELENGTH, 0);
        } else {
            page.block_height = std::min(tag<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, page.height), page.height);
        }
        std::uint64_t row_bits;
        const bool fits = multiply({page.block_width, page.stored_samples(), page.bits}, row_bits);
        page.block_row_bytes = row_bits / 8 + (row_bits % 8 != 0);
        // A tile may be larger than the image, but not by any number of pixels.
        constexpr std::uint64_t most_beyond = 4096;
        if (!fits || !multiply({page.block_row_bytes, page.block_height}, page.block_bytes) ||
            !page.block_bytes || page.block_width > page.width + most_beyond ||
            page.block_height > page.height + most_beyond ||
            page.block_bytes / expansion > std::max<std::uint64_t>(file_.size(), 64 << 10))
            fail(text("its %s of %u x %u pixels can't be; the file is truncated or damaged",
                      page.tiled ? "tiles" : "strips", page.block_width, page.block_height));
        const auto said = page.tiled ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
        if (said != page.block_bytes)
            fail(text("its %s have %" G_GUINT64_FORMAT " bytes, %" G_GUINT64_FORMAT " were expected",
                      page.tiled ? "tiles" : "strips", said, page.block_bytes));
    }

    // Calls visit(block, plane, x, first, last) for each strip or tile that holds wanted rows. The rows
    // `first` to `last` are counted among the wanted ones, last not included.
    template <class Visit>
    void for_each_block(Visit visit) {
        const unsigned planes = page_.separate ? page_.samples : 1;
        for (unsigned plane = 0; plane < planes; plane++)
            for (unsigned first = 0; first < wanted_rows_;) {
                const auto bottom =
                    std::uint64_t{stored_row(first) / page_.block_height + 1} * page_.block_height;
                auto last = first + 1;
                while (last < wanted_rows_ && stored_row(last) < bottom)
                    last++;
                for (std::uint32_t x = 0; x < page_.width;) {
                    const auto y = stored_row(first);
                    const auto sample = static_cast<std::uint16_t>(plane);
                    const auto block = page_.tiled ? TIFFComputeTile(tiff_.get(), x, y, 0, sample)
                                                   : TIFFComputeStrip(tiff_.get(), y, sample);
                    visit(block, plane, x, first, last);
                    if (page_.width - x <= page_.block_width)
                        break;
                    x += page_.block_width;
                }
                first = last;
            }
    }

    std::uint32_t stored_row(unsigned wanted) const { return rows_.first + wanted * rows_.step; }

    unsigned char *destination_row(unsigned plane, unsigned wanted) const {
        return destination_ + (std::uint64_t{plane} * wanted_rows_ + wanted) * page_.width * sample_size_;
    }

    template <class Stored, class Sample>
    static void convert(const unsigned char *from, std::size_t sample, std::size_t stride, unsigned pixels,
                        unsigned char *to) {
        for (std::size_t i = 0; i < pixels; i++)
            store(to + i * sizeof(Sample),
                  static_cast<Sample>(load<Stored>(from + (i * stride + sample) * sizeof(Stored))));
    }

    // One row of a block, as stored, to its place in the page.
    void unpack_row(const unsigned char *from, unsigned plane, std::uint32_t x, unsigned wanted) const {
        const auto pixels = std::min(page_.block_width, page_.width - x);
        const std::size_t stride = page_.stored_samples();
        for (std::size_t sample = 0; sample < stride; sample++) {
            auto *to = destination_row(plane + static_cast<unsigned>(sample), wanted) + x * sample_size_;
            switch (page_.unpacking) {
            case Unpacking::Copy:
                if (stride == 1)
                    std::memcpy(to, from, pixels * sample_size_);
                else
                    for (std::size_t i = 0; i < pixels; i++)
                        std::memcpy(to + i * sample_size_, from + (i * stride + sample) * sample_size_,
                                    sample_size_);
                break;
            case Unpacking::WidenInt8:
                convert<std::int8_t, std::int16_t>(from, sample, stride, pixels, to);
                break;
            case Unpacking::Int64ToDouble:
                convert<std::int64_t, double>(from, sample, stride, pixels, to);
                break;
            case Unpacking::UInt64ToDouble:
                convert<std::uint64_t, double>(from, sample, stride, pixels, to);
                break;
            case Unpacking::Packed12: // the first sample in the high bits
                for (std::size_t i = 0; i < pixels; i++) {
                    const auto nibble = 3 * (i * stride + sample);
                    const auto *pair = from + nibble / 2;
                    const unsigned value =
                        nibble % 2 ? (pair[0] & 0x0fu) << 8 | pair[1] : pair[0] << 4 | pair[1] >> 4;
                    store(to + 2 * i, static_cast<std::uint16_t>(value));
                }
                break;
            }
        }
    }

    void read_blocks() {
        std::vector<unsigned char> block(page_.block_bytes);
        complaint_.first.clear();
        for_each_block(
            [&](std::uint32_t index, unsigned plane, std::uint32_t x, unsigned first, unsigned last) {
                const auto top = stored_row(first) / page_.block_height * page_.block_height;
                auto expected = page_.block_bytes;
                if (!page_.tiled) // the last strip may be short
                    expected = page_.block_row_bytes * std::min(page_.block_height, page_.height - top);
                const auto room = static_cast<tmsize_t>(expected);
                const auto got = page_.tiled ? TIFFReadEncodedTile(tiff_.get(), index, block.data(), room)
                                             : TIFFReadEncodedStrip(tiff_.get(), index, block.data(), room);
                if (got != room)
                    fail(text("%s %u can't be decoded", page_.tiled ? "tile" : "strip", index));
                for (auto wanted = first; wanted < last; wanted++) {
                    auto *row = block.data() + page_.block_row_bytes * (stored_row(wanted) - top);
                    unpack_row(row, plane, x, wanted);
                }
            });
    }

    // Stretches of the file that follow each other, on both sides, are read at once.
    struct Stretch {
        std::uint64_t offset = 0, bytes = 0;
        unsigned char *destination = nullptr;
    };

    void read_stretch(Stretch &stretch) {
        if (stretch.bytes)
            file_.read_at(stretch.offset, stretch.destination, stretch.bytes,
                          text("data of page %" G_GSIZE_FORMAT, current_));
        stretch = Stretch();
    }

    void read_direct() {
        const bool in_place = page_.unpacking == Unpacking::Copy && page_.stored_samples() == 1;
        std::vector<unsigned char> row(in_place ? 0 : page_.block_row_bytes);
        Stretch stretch;

        complaint_.first.clear();
        for_each_block([&](std::uint32_t index, unsigned plane, std::uint32_t x, unsigned first,
                           unsigned last) {
            const auto top = stored_row(first) / page_.block_height * page_.block_height;
            int error = 0;
            const auto offset = TIFFGetStrileOffsetWithErr(tiff_.get(), index, &error);
            const auto stored = error ? 0 : TIFFGetStrileByteCountWithErr(tiff_.get(), index, &error);
            if (error || stored < (stored_row(last - 1) - top + 1) * page_.block_row_bytes)
                fail(text("%s %u has %" G_GUINT64_FORMAT " bytes, too few; the file is truncated or damaged",
                          page_.tiled ? "tile" : "strip", index, stored));
            const auto pixels = std::min(page_.block_width, page_.width - x);
            for (auto wanted = first; wanted < last; wanted++) {
                const auto in_stack = stack_ > 1 ? current_ * page_.block_row_bytes * page_.height : 0;
                const auto from = offset + in_stack + page_.block_row_bytes * (stored_row(wanted) - top);
                if (!in_place) {
                    file_.read_at(from, row.data(), page_.block_row_bytes,
                                  text("data of page %" G_GSIZE_FORMAT, current_));
                    to_host(row.data(), page_.block_row_bytes);
                    unpack_row(row.data(), plane, x, wanted);
                    continue;
                }
                auto *to = destination_row(plane, wanted) + x * sample_size_;
                if (stretch.offset + stretch.bytes != from || stretch.destination + stretch.bytes != to) {
                    read_stretch(stretch);
                    stretch = {from, 0, to};
                }
                stretch.bytes += pixels * sample_size_;
            }
        });
        read_stretch(stretch);
        if (in_place)
            to_host(destination_, std::uint64_t{page_.samples} * wanted_rows_ * page_.width * sample_size_);
    }

    void to_host(unsigned char *data, std::uint64_t bytes) const {
        const bool bytewise =
            page_.unpacking == Unpacking::WidenInt8 || page_.unpacking == Unpacking::Packed12;
        if (!directories_.flavour().swapped || bytewise)
            return;
        const auto unit = page_.format == GST_TOMO_FORMAT_COMPLEX64 ? 4 : sample_size_;
        swap_bytes(data, bytes / unit, unit);
    }

    InputFile file_;
    TiffDirectories directories_;
    RowRegion rows_;
    Complaint complaint_;
    TiffHandle tiff_;
    std::size_t current_ = 0;
    std::size_t stack_ = 1; // images behind the only directory
    Page page_;             // width 0: not known yet

    // of the read() under way
    unsigned char *destination_ = nullptr;
    unsigned wanted_rows_ = 0;
    std::size_t sample_size_ = 0;
};

} // namespace

std::unique_ptr<ImageReader> open_tiff_reader(const std::string &file, const RowRegion &rows) {
    return std::make_unique<TiffReader>(file, rows);
}

} // namespace tomo::io

#endif // HAVE_TIFF
