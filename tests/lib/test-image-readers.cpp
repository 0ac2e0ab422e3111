// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files as other programs write them, whole, damaged and forged.
#include "image-files.hpp"

#include <gst/files/byte-order.hpp>
#include <gst/files/file-list.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>
#include <sys/stat.h>
#include <unistd.h>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using namespace tomo::io;

namespace {

// Bytes `from` a file cut or changed, `to` another.
void copy_damaged(const std::string &from, const std::string &to, bool cut) {
    auto bytes = contents_of(from);
    if (cut)
        bytes.resize(random_between(0, bytes.size() - 1));
    else
        for (int i = 0; i < 3; i++) {
            // Headers and tables are at either end.
            const auto near = std::min<std::size_t>(bytes.size(), 300);
            const std::size_t places[] = {random_between(0, bytes.size() - 1), random_between(0, near - 1),
                                          bytes.size() - random_between(1, near)};
            bytes[places[random_between(0, 2)]] = static_cast<char>(randomness()());
        }
    std::ofstream(to, std::ios::binary) << bytes;
}

// Reads what can be read; how many pages were right before the error, if there was one.
struct Salvage {
    std::size_t right = 0;
    std::string error;
};

Salvage salvage(const std::string &path, const Images &expected) {
    Salvage salvage;
    salvage.error = error_of([&] {
        const auto reader = open_reader(path);
        for (std::size_t page = 0; page < expected.size() && reader->has_page(page); page++) {
            // What a damaged header may ask a caller to allocate is bounded.
            fail_unless(reader->info(page).size() < (std::uint64_t{1} << 30));
            if (read_page(*reader, page) == expected[page] && salvage.right == page)
                salvage.right++;
        }
    });
    return salvage;
}

void expect_error(const std::string &path, const std::vector<std::string> &words,
                  const ReadOptions &options = {}) {
    const auto error = error_of([&] { read_images(path, options); });
    for (const auto &word : words)
        fail_unless(contains(error, word), "'%s' is not in: %s", word.c_str(), error.c_str());
}

#ifdef HAVE_TIFF

struct TiffKind {
    std::uint16_t compression = COMPRESSION_NONE;
    std::uint16_t predictor = PREDICTOR_NONE;
    const char *mode = "w";
    bool tiled = false, separate = false;
    unsigned samples = 1;
};

std::uint16_t tiff_sample_format(GstTomoFormat format) {
    const std::string name = gst_tomo_format_to_string(format);
    return name[0] == 'u'   ? SAMPLEFORMAT_UINT
           : name[0] == 'i' ? SAMPLEFORMAT_INT
           : name[0] == 'f' ? SAMPLEFORMAT_IEEEFP
                            : SAMPLEFORMAT_COMPLEXIEEEFP;
}

// By libtiff. `rows` gets the bytes of row y of the block of `columns` pixels from x on, in stored plane p.
template <class Rows>
void write_tiff_page(TIFF *tiff, const TiffKind &kind, unsigned width, unsigned height, unsigned bits,
                     std::uint16_t sample_format, Rows rows) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, sample_format);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, kind.samples);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, kind.compression);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, kind.samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, kind.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    if (kind.predictor != PREDICTOR_NONE)
        TIFFSetField(tiff, TIFFTAG_PREDICTOR, kind.predictor);
    unsigned block_width = width, block_height = static_cast<unsigned>(random_between(1, height + 3));
    if (kind.tiled) {
        block_width = 16 * static_cast<unsigned>(random_between(1, 3));
        block_height = 16 * static_cast<unsigned>(random_between(1, 2));
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, block_width);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, block_height);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, block_height);
    }
    const unsigned in_block = kind.separate ? 1 : kind.samples;
    const std::size_t row_bytes = (std::size_t{block_width} * in_block * bits + 7) / 8;
    for (unsigned plane = 0; plane < (kind.separate ? kind.samples : 1); plane++)
        for (unsigned top = 0; top < height; top += block_height)
            for (unsigned x = 0; x < width; x += block_width) {
                const unsigned count = kind.tiled ? block_height : std::min(block_height, height - top);
                std::vector<unsigned char> block(row_bytes * count);
                for (unsigned y = top; y < std::min(top + count, height); y++)
                    rows(block.data() + (y - top) * row_bytes, plane, x, y, std::min(block_width, width - x));
                const auto sample = static_cast<std::uint16_t>(plane);
                const auto bytes = static_cast<tmsize_t>(block.size());
                const auto written =
                    kind.tiled ? TIFFWriteEncodedTile(tiff, TIFFComputeTile(tiff, x, top, 0, sample),
                                                      block.data(), bytes)
                               : TIFFWriteEncodedStrip(tiff, TIFFComputeStrip(tiff, top, sample),
                                                       block.data(), bytes);
                fail_unless(written == bytes);
            }
    fail_unless(TIFFWriteDirectory(tiff));
}

// An image with as many planes as samples.
void write_tiff_page(TIFF *tiff, const TiffKind &kind, const Image &image) {
    const auto size = image.info.sample_size();
    write_tiff_page(
        tiff, kind, image.info.width, image.info.height, static_cast<unsigned>(8 * size),
        tiff_sample_format(image.info.format),
        [&](unsigned char *row, unsigned plane, unsigned x, unsigned y, unsigned count) {
            const unsigned in_block = kind.separate ? 1 : kind.samples;
            for (unsigned i = 0; i < count; i++)
                for (unsigned s = 0; s < in_block; s++) {
                    const auto from =
                        ((std::size_t{plane + s} * image.info.height + y) * image.info.width + x + i) * size;
                    std::memcpy(row + (i * in_block + s) * size, image.data.data() + from, size);
                }
        });
}

using TiffFile = std::unique_ptr<TIFF, decltype(&TIFFClose)>;
TiffFile create_tiff(const std::string &file, const char *mode) {
    return TiffFile(TIFFOpen(file.c_str(), mode), TIFFClose);
}

#endif // HAVE_TIFF

#ifdef HAVE_HDF5

struct Hdf5 {
    explicit Hdf5(const std::string &path)
        : file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
    ~Hdf5() { H5Fclose(file); }

    void add(const char *name, hid_t stored, hid_t memory, const std::vector<hsize_t> &shape,
             const void *data, const std::vector<hsize_t> &chunk = {}) {
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
        H5Pset_create_intermediate_group(links, 1);
        if (!chunk.empty()) {
            H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
            H5Pset_shuffle(creation);
            H5Pset_deflate(creation, 3);
        }
        const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
        const hid_t dataset = H5Dcreate2(file, name, stored, space, links, creation, H5P_DEFAULT);
        fail_unless(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
        H5Dclose(dataset);
        H5Sclose(space);
        H5Pclose(links);
        H5Pclose(creation);
    }

    hid_t file;
};

#endif // HAVE_HDF5

} // namespace

#ifdef HAVE_TIFF

GST_START_TEST(test_tiff_kinds) {
    const Scratch folder;
    const auto file = folder / "kind.tif";
    const std::uint16_t compressions[] = {COMPRESSION_NONE,          COMPRESSION_LZW,  COMPRESSION_PACKBITS,
                                          COMPRESSION_ADOBE_DEFLATE, COMPRESSION_LZMA, COMPRESSION_ZSTD};
    for (const auto compression : compressions) {
        if (!TIFFIsCODECConfigured(compression))
            continue;
        for (const auto format : sample_formats)
            for (const auto *mode : {"wl", "wb", "wl8", "wb8"}) {
                TiffKind kind;
                kind.compression = compression;
                kind.tiled = random_between(0, 1);
                kind.samples = random_between(0, 1) ? 3 : 1;
                kind.separate = kind.samples > 1 && random_between(0, 1);
                const bool integers = tiff_sample_format(format) <= SAMPLEFORMAT_INT;
                if (integers && compression != COMPRESSION_NONE && compression != COMPRESSION_PACKBITS &&
                    random_between(0, 1))
                    kind.predictor = PREDICTOR_HORIZONTAL;
                const auto width = static_cast<unsigned>(random_between(1, 70));
                const auto height = static_cast<unsigned>(random_between(1, 50));
                Images images;
                {
                    const auto tiff = create_tiff(file, mode);
                    for (int page = 0; page < 3; page++) {
                        images.push_back(random_image(format, width, height, kind.samples));
                        write_tiff_page(tiff.get(), kind, images.back());
                    }
                }
                const auto what = tomo::text("%s, %s, compression %u, %s, %u samples%s, %u x %u",
                                             gst_tomo_format_to_string(format), mode, compression,
                                             kind.tiled ? "tiles" : "strips", kind.samples,
                                             kind.separate ? " apart" : "", width, height);
                fail_unless(read_images(file) == images, "%s", what.c_str());
                ReadOptions options;
                options.rows = random_rows(height);
                fail_unless(read_images(file, options) == rows_of(images, options.rows), "%s, rows %u+%u/%u",
                            what.c_str(), options.rows.first, options.rows.count, options.rows.step);
                // In any order.
                const auto reader = open_reader(file);
                for (const std::size_t page : {2, 0, 1, 1})
                    fail_unless(read_page(*reader, page) == images[page]);
                fail_unless(reader->pages() == 3 && !reader->has_page(3));
            }
    }
}
GST_END_TEST;

GST_START_TEST(test_tiff_widened) {
    const Scratch folder;
    const auto file = folder / "wide.tif";
    for (const bool tiled : {false, true})
        for (const auto compression : {COMPRESSION_NONE, COMPRESSION_LZW}) {
            TiffKind kind;
            kind.tiled = tiled;
            kind.compression = static_cast<std::uint16_t>(compression);
            const unsigned width = 37, height = 11;
            std::vector<std::int16_t> small(width * height);
            std::vector<std::uint16_t> twelve(width * height);
            for (auto &value : small)
                value = static_cast<std::int16_t>(random_between(0, 255)) - 128;
            for (auto &value : twelve)
                value = static_cast<std::uint16_t>(random_between(0, 4095));
            {
                const auto tiff = create_tiff(file, "w");
                write_tiff_page(tiff.get(), kind, width, height, 8, SAMPLEFORMAT_INT,
                                [&](unsigned char *row, unsigned, unsigned x, unsigned y, unsigned count) {
                                    for (unsigned i = 0; i < count; i++)
                                        row[i] = static_cast<unsigned char>(small[y * width + x + i]);
                                });
                write_tiff_page(tiff.get(), kind, width, height, 12, SAMPLEFORMAT_UINT,
                                [&](unsigned char *row, unsigned, unsigned x, unsigned y, unsigned count) {
                                    for (unsigned i = 0; i < 12 * count; i++)
                                        if (twelve[y * width + x + i / 12] >> (11 - i % 12) & 1)
                                            row[i / 8] |= static_cast<unsigned char>(0x80 >> i % 8);
                                });
            }
            const Images images = {image_of(GST_TOMO_FORMAT_INT16, width, height, small),
                                   image_of(GST_TOMO_FORMAT_UINT16, width, height, twelve)};
            fail_unless(read_images(file) == images);
            ReadOptions options;
            options.rows = random_rows(height);
            fail_unless(read_images(file, options) == rows_of(images, options.rows));
        }
}
GST_END_TEST;

GST_START_TEST(test_tiff_refused) {
    const Scratch folder;
    const auto file = folder / "odd.tif";
    const struct {
        unsigned bits;
        std::uint16_t sample_format;
        const char *message;
    } kinds[] = {{1, SAMPLEFORMAT_UINT, "1 bit unsigned integers"},
                 {4, SAMPLEFORMAT_UINT, "4 bit unsigned integers"},
                 {24, SAMPLEFORMAT_UINT, "24 bit unsigned integers"},
                 {24, SAMPLEFORMAT_INT, "24 bit signed integers"},
                 {24, SAMPLEFORMAT_IEEEFP, "24 bit floats"},
                 {32, SAMPLEFORMAT_COMPLEXINT, "32 bit of sample format 5"}};
    for (const auto &kind : kinds) {
        write_tiff_page(create_tiff(file, "w").get(), {}, 8, 4, kind.bits, kind.sample_format,
                        [](unsigned char *, unsigned, unsigned, unsigned, unsigned) {});
        expect_error(file, {"'" + file + "', page 0: samples are ", kind.message, "supported are"});
    }
    expect_error(folder / "none.tif", {"none.tif", "No such file"});
    expect_error(folder.path(), {"format", "supported"});
    folder.write("empty.tif", "");
    expect_error(folder / "empty.tif", {"is empty"});
    folder.write("text.tif", "this is not an image at all");
    expect_error(folder / "text.tif", {"is not a TIFF file"});
    std::filesystem::create_directory(folder / "folder.tif");
    expect_error(folder / "folder.tif", {"is a folder"});

    write_images(folder / "good.tif", random_images(2, GST_TOMO_FORMAT_UINT8, 5, 7));
    const auto with_rows = [&](unsigned first, unsigned count, unsigned step, const char *message) {
        ReadOptions options;
        options.rows = {first, count, step};
        expect_error(folder / "good.tif", {message, "good.tif', page 0"}, options);
    };
    with_rows(7, 0, 1, "(y) is 7, but the page has 7 rows");
    with_rows(3, 5, 1, "rows 3 to 7 were asked for");
    with_rows(0, 0, 0, "y-step");
    const auto reader = open_reader(folder / "good.tif");
    fail_unless(contains(error_of([&] { reader->info(2); }), "has 2 pages, page 2"));
    char small;
    fail_unless(contains(error_of([&] { reader->read(0, &small, 1); }), "1 bytes were given"));
}
GST_END_TEST;

// A chain of pages that bites its tail, and sizes that no file holds.
GST_START_TEST(test_tiff_forged) {
    const Scratch folder;
    const auto file = folder / "forged.tif";
    WriteOptions classic;
    classic.big_tiff = false;
    write_images(file, random_images(2, GST_TOMO_FORMAT_UINT16, 9, 4), classic);
    const auto good = contents_of(file);
    // Little or big endian as the host: numbers of the file are ours.
    const auto first = load<std::uint32_t>(good.data() + 4);
    const auto entries = load<std::uint16_t>(good.data() + first);
    const auto second = load<std::uint32_t>(good.data() + first + 2 + 12 * entries);

    auto forged = good;
    store(forged.data() + second + 2 + 12 * entries, first);
    folder.write("forged.tif", forged);
    expect_error(file, {"is damaged: the directory of page 2 is that of an earlier page"});

    forged = good;
    store(forged.data() + first + 2 + 8, std::uint32_t{0x40000000});          // width
    store(forged.data() + first + 2 + 12 + 8, std::uint32_t{0x40000000});     // height
    store(forged.data() + first + 2 + 12 * 7 + 8, std::uint32_t{0x40000000}); // rows per strip
    folder.write("forged.tif", forged);
    expect_error(file, {"page 0", "more than a file of"});

    forged = good;
    store(forged.data() + first + 2 + 12 * entries, std::uint32_t{0x7fffff00});
    folder.write("forged.tif", forged);
    const auto reader = open_reader(file);
    fail_unless(reader->has_page(0));
    fail_unless(
        contains(error_of([&] { reader->has_page(1); }), "truncated or damaged: the directory of page 1"));
    fail_unless(
        contains(error_of([&] { reader->pages(); }), "truncated or damaged: the directory of page 1"));
}
GST_END_TEST;

GST_START_TEST(test_tiff_damaged) {
    const Scratch folder;
    const auto file = folder / "whole.tif", bad = folder / "bad.tif";
    for (const auto compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE})
        for (const bool tiled : {false, true}) {
            TiffKind kind;
            kind.tiled = tiled;
            kind.compression = static_cast<std::uint16_t>(compression);
            const auto images = random_images(4, GST_TOMO_FORMAT_UINT16, 33, 20);
            {
                const auto tiff = create_tiff(file, "w");
                for (const auto &image : images)
                    write_tiff_page(tiff.get(), kind, image);
            }
            for (int i = 0; i < 60; i++) {
                copy_damaged(file, bad, true);
                const auto found = salvage(bad, images);
                fail_unless(found.right < images.size() && contains(found.error, "bad.tif'"), "%s",
                            found.error.c_str());
                copy_damaged(file, bad, false);
                salvage(bad, images); // any result but a crash
            }
        }
}
GST_END_TEST;

// Pages that are previews or masks of an image, wherever they stand.
GST_START_TEST(test_tiff_previews) {
    const Scratch folder;
    for (const auto *mode : {"wl", "wb", "w8l", "w8b"})
        for (int round = 0; round < 6; round++) {
            const auto images = random_images(4, GST_TOMO_FORMAT_UINT16, 7, 5);
            const auto preview = random_image(GST_TOMO_FORMAT_UINT16, 3, 2);
            TIFF *tiff = TIFFOpen((folder / "scan.tif").c_str(), mode);
            const auto add_others = [&] {
                for (auto i = random_between(0, 2); i > 0; i--) {
                    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE,
                                 random_between(0, 1) ? FILETYPE_REDUCEDIMAGE
                                                      : FILETYPE_MASK | FILETYPE_PAGE);
                    write_tiff_page(tiff, {}, preview);
                }
            };
            for (const auto &image : images) {
                add_others();
                if (random_between(0, 1)) // of a document with several, which is an image
                    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
                write_tiff_page(tiff, {}, image);
            }
            add_others();
            TIFFClose(tiff);
            fail_unless(read_images(folder / "scan.tif") == images);
            fail_unless(open_reader(folder / "scan.tif")->pages() == images.size());
            // What is continued is continued behind all of them.
            WriteOptions append;
            append.append = true;
            write_images(folder / "scan.tif", images, append);
            fail_unless(read_images(folder / "scan.tif").size() == 2 * images.size());
        }
    TIFF *tiff = TIFFOpen((folder / "mask.tif").c_str(), "w");
    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_MASK);
    write_tiff_page(tiff, {}, random_image(GST_TOMO_FORMAT_UINT8, 3, 2));
    TIFFClose(tiff);
    expect_error(folder / "mask.tif", {"mask.tif", "holds no image, only previews or masks"});
}
GST_END_TEST;

// Opening must not look through all pages.
GST_START_TEST(test_tiff_many_pages) {
    const Scratch folder;
    const auto images = random_images(500, GST_TOMO_FORMAT_UINT8, 3, 2);
    write_images(folder / "many.tif", images);
    auto bytes = contents_of(folder / "many.tif");
    // The last page is cut, which nobody knows who reads the first ones.
    bytes.resize(bytes.size() - 200);
    folder.write("many.tif", bytes);
    const auto reader = open_reader(folder / "many.tif");
    fail_unless(reader->has_page(10) && read_page(*reader, 498) == images[498]);
    fail_unless(contains(error_of([&] { reader->pages(); }), "page 499"));
}
GST_END_TEST;

#endif // HAVE_TIFF

#ifdef HAVE_HDF5

GST_START_TEST(test_hdf5_types) {
    const Scratch folder;
    const auto file = folder / "types.h5";
    const unsigned width = 7, height = 5;
    const std::size_t count = width * height;
    const std::vector<hsize_t> shape = {height, width}, chunk = {2, 3};
    std::vector<double> values(count);
    for (auto &value : values)
        value = static_cast<double>(random_between(0, 127));
    const hid_t half = H5Tcopy(H5T_IEEE_F32BE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_ebias(half, 15);
    H5Tset_size(half, 2);
    const hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);
    const signed char no = 0, yes = 1;
    H5Tenum_insert(truth, "FALSE", &no);
    H5Tenum_insert(truth, "TRUE", &yes);
    std::vector<signed char> truths(count);
    for (auto &value : truths)
        value = static_cast<signed char>(random_between(0, 1));
    const hid_t complex = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(complex, "r", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(complex, "i", 8, H5T_NATIVE_DOUBLE);
    std::vector<double> parts(2 * count);
    for (auto &value : parts)
        value = static_cast<double>(random_between(0, 1000)) / 8;

    const struct {
        hid_t stored;
        GstTomoFormat format;
    } kinds[] = {{H5T_STD_U8BE, GST_TOMO_FORMAT_UINT8},     {H5T_STD_I8LE, GST_TOMO_FORMAT_INT16},
                 {H5T_STD_U16LE, GST_TOMO_FORMAT_UINT16},   {H5T_STD_U16BE, GST_TOMO_FORMAT_UINT16},
                 {H5T_STD_I16BE, GST_TOMO_FORMAT_INT16},    {H5T_STD_U32BE, GST_TOMO_FORMAT_UINT32},
                 {H5T_STD_I32LE, GST_TOMO_FORMAT_INT32},    {H5T_STD_I64BE, GST_TOMO_FORMAT_FLOAT64},
                 {H5T_STD_U64LE, GST_TOMO_FORMAT_FLOAT64},  {H5T_IEEE_F32BE, GST_TOMO_FORMAT_FLOAT32},
                 {H5T_IEEE_F64LE, GST_TOMO_FORMAT_FLOAT64}, {half, GST_TOMO_FORMAT_FLOAT16}};
    int number = 0;
    {
        Hdf5 hdf5(file);
        for (const auto &kind : kinds) {
            hdf5.add(tomo::text("/a/%d", number).c_str(), kind.stored, H5T_NATIVE_DOUBLE, shape,
                     values.data(), number % 2 ? chunk : std::vector<hsize_t>{});
            number++;
        }
        hdf5.add("/truth", truth, truth, shape, truths.data());
        hdf5.add("/complex", complex, complex, shape, parts.data());
        hdf5.add("/text", H5T_C_S1, H5T_C_S1, shape, std::string(count, 'x').data());
    }
    number = 0;
    for (const auto &kind : kinds) {
        const auto images = read_images(tomo::text("%s:/a/%d", file.c_str(), number++));
        fail_unless(images.size() == 1 && images[0].info.format == kind.format &&
                    images[0].info.width == width && images[0].info.height == height);
        for (std::size_t i = 0; i < count; i++) {
            const auto *at = images[0].data.data() + i * images[0].info.sample_size();
            double value = 0;
            switch (kind.format) {
            case GST_TOMO_FORMAT_UINT8:
                value = load<std::uint8_t>(at);
                break;
            case GST_TOMO_FORMAT_UINT16:
                value = load<std::uint16_t>(at);
                break;
            case GST_TOMO_FORMAT_INT16:
                value = load<std::int16_t>(at);
                break;
            case GST_TOMO_FORMAT_UINT32:
                value = load<std::uint32_t>(at);
                break;
            case GST_TOMO_FORMAT_INT32:
                value = load<std::int32_t>(at);
                break;
            case GST_TOMO_FORMAT_FLOAT32:
                value = load<float>(at);
                break;
            case GST_TOMO_FORMAT_FLOAT64:
                value = load<double>(at);
                break;
            case GST_TOMO_FORMAT_FLOAT16: {
                // Whole numbers below 128 are normal or zero.
                const auto bits = load<std::uint16_t>(at);
                value = bits ? std::ldexp(0x400 | (bits & 0x3ff), (bits >> 10) - 25) : 0;
                break;
            }
            default:
                fail("unexpected format");
            }
            fail_unless(value == values[i], "type %d: %g is not %g", number - 1, value, values[i]);
        }
    }
    const std::vector<unsigned char> bytes(truths.begin(), truths.end());
    fail_unless(read_images(file + ":/truth")[0] == image_of(GST_TOMO_FORMAT_UINT8, width, height, bytes));
    auto complex_image =
        image_of(GST_TOMO_FORMAT_COMPLEX64, width, height, std::vector<float>(parts.begin(), parts.end()));
    fail_unless(read_images(file + ":complex") == Images{complex_image});
    expect_error(file + ":/text", {"/text", "holds strings", "images are"});
    H5Tclose(half);
    H5Tclose(truth);
    H5Tclose(complex);
}
GST_END_TEST;

GST_START_TEST(test_hdf5_shapes) {
    const Scratch folder;
    const auto file = folder / "shapes.nxs";
    const unsigned width = 11, height = 13;
    const auto images = random_images(6, GST_TOMO_FORMAT_UINT16, width, height);
    std::vector<unsigned char> all;
    for (const auto &image : images)
        all.insert(all.end(), image.data.begin(), image.data.end());
    {
        Hdf5 hdf5(file);
        const auto add = [&](const char *name, const std::vector<hsize_t> &shape,
                             const std::vector<hsize_t> &chunk = {}) {
            hdf5.add(name, H5T_NATIVE_UINT16, H5T_NATIVE_UINT16, shape, all.data(), chunk);
        };
        add("/entry/plain", {6, height, width});
        add("/entry/chunks", {6, height, width}, {4, 5, 3});
        add("/entry/four", {1, 6, height, width});
        add("/entry/one", {height, width});
        add("/entry/line", {width});
        add("/entry/many", {2, 3, height, width});
        add("/entry/none", {0, height, width});
        H5Lcreate_soft("/entry/plain", hdf5.file, "/entry/link", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_external("gone.h5", "/x", hdf5.file, "/entry/gone", H5P_DEFAULT, H5P_DEFAULT);
    }
    for (const auto *name : {"plain", "chunks", "four", "link", "/one"}) {
        const auto path = file + ":/entry/" + name;
        const auto expected = std::string(name) == "/one" ? Images{images[0]} : images;
        fail_unless(read_images(path) == expected, "%s", name);
        ReadOptions options;
        options.rows = random_rows(height);
        fail_unless(read_images(path, options) == rows_of(expected, options.rows), "%s", name);
        fail_unless(open_reader(path)->pages() == expected.size());
    }
    expect_error(file + ":/entry/line", {"/entry/line' has 1 dimension (11)", "need two"});
    expect_error(file + ":/entry/many", {"has 4 dimensions (2 x 3 x 13 x 11)"});
    expect_error(file + ":/entry/none", {"holds no image"});
    expect_error(file + ":/entry/gone", {"'/entry/gone' is a link to something that can't be found"});
    expect_error(file + ":/entry", {"'/entry' is a group", "'/entry/plain' (6 x 13 x 11)"});
    expect_error(file + ":/entry/nothing/here",
                 {"there is no '/entry/nothing'", "'/entry/plain' (6 x 13 x 11)"});
    expect_error(file + ":/entry/plain/x", {"there is no '/entry/plain/x'"});
    expect_error(file, {"no dataset is named", "'/entry/plain' (6 x 13 x 11)"});
    expect_error(folder / "none.h5:/x", {"none.h5", "No such file"});
    folder.write("text.h5", "this is not an image at all");
    expect_error(folder / "text.h5:/x", {"is not an HDF5 file"});
    ReadOptions options;
    options.rows = {13, 0, 1};
    expect_error(file + ":/entry/plain", {"the page has 13 rows"}, options);

    // Read only: no reader changes the file, and it may be read by several at once.
    const auto before = contents_of(file);
    const auto first = open_reader(file + ":/entry/plain"), second = open_reader(file + ":/entry/chunks");
    fail_unless(read_page(*first, 5) == read_page(*second, 5) && contents_of(file) == before);
}
GST_END_TEST;

// The library must survive threads even where it was not built for them.
GST_START_TEST(test_hdf5_threads) {
    const Scratch folder;
    const auto images = random_images(20, GST_TOMO_FORMAT_FLOAT32, 17, 9);
    for (int i = 0; i < 4; i++)
        write_images(tomo::text("%s/%d.h5:/data", folder.path().c_str(), i), images);
    std::vector<std::future<bool>> runs;
    for (int i = 0; i < 4; i++)
        runs.push_back(std::async(std::launch::async, [&folder, &images, i] {
            bool right = true;
            for (int round = 0; round < 5; round++)
                right =
                    right && read_images(tomo::text("%s/%d.h5:/data", folder.path().c_str(), i)) == images;
            return right;
        }));
    for (auto &run : runs)
        fail_unless(run.get());
}
GST_END_TEST;

// Bytes that this process has read, of whatever file.
static std::uint64_t bytes_read() {
    std::ifstream facts("/proc/self/io");
    std::string name;
    std::uint64_t bytes = 0;
    facts >> name >> bytes;
    fail_unless_equals_string(name.c_str(), "rchar:");
    return bytes;
}

// Chunks with parts of several images are decompressed once, however many threads read images that lie far from
// each other.
GST_START_TEST(test_hdf5_shared_chunks) {
    const Scratch folder;
    constexpr unsigned images = 48, together = 6, width = 256, height = 64;
    const auto file = folder.path() + "/a.h5";
    std::vector<std::uint16_t> samples(std::size_t{images} * height * width);
    for (auto &sample : samples)
        sample = static_cast<std::uint16_t>(randomness()());
    {
        Hdf5 made(file);
        made.add("/data", H5T_NATIVE_UINT16, H5T_NATIVE_UINT16, {images, height, width}, samples.data(),
                 {together, height, width});
    }
    const auto before = bytes_read();
    std::vector<std::future<bool>> runs;
    for (unsigned i = 0; i < images; i += together)
        runs.push_back(std::async(std::launch::async, [&, i] {
            const auto reader = open_reader(file + ":/data");
            bool is_right = true;
            for (unsigned image = i; image < i + together; image++) {
                std::vector<std::uint16_t> found(height * width);
                reader->read(image, found.data(), 2 * found.size());
                is_right = is_right && std::equal(found.begin(), found.end(),
                                                  samples.begin() + image * height * width);
                std::this_thread::sleep_for(std::chrono::milliseconds(5)); // for the others
            }
            return is_right;
        }));
    for (auto &run : runs)
        fail_unless(run.get());
    const auto read = bytes_read() - before;
    fail_unless(read < 2 * samples.size() * 3 / 2, "%lu bytes of %lu are read", read, 2 * samples.size());
}
GST_END_TEST;

GST_START_TEST(test_hdf5_truncated) {
    const Scratch folder;
    const auto images = random_images(3, GST_TOMO_FORMAT_UINT16, 33, 20);
    write_images(folder / "whole.h5:/entry/data", images);
    for (int i = 0; i < 100; i++) {
        copy_damaged(folder / "whole.h5", folder / "bad.h5", true);
        const auto found = salvage(folder / "bad.h5:/entry/data", images);
        fail_unless(found.right < images.size() && contains(found.error, "bad.h5"), "%s",
                    found.error.c_str());
    }
}
GST_END_TEST;

#endif // HAVE_HDF5

GST_START_TEST(test_raw) {
    const Scratch folder;
    const unsigned width = 5, height = 7;
    const struct {
        unsigned bits;
        GstTomoFormat format;
    } kinds[] = {{8, GST_TOMO_FORMAT_UINT8}, {16, GST_TOMO_FORMAT_UINT16}, {32, GST_TOMO_FORMAT_FLOAT32}};
    for (const auto &kind : kinds) {
        const auto images = random_images(3, kind.format, width, height);
        std::string bytes;
        for (const auto &image : images)
            bytes += "head" + std::string(image.data.begin(), image.data.end()) + "tail!";
        ReadOptions options;
        options.raw = {width, height, raw_format(kind.bits), 4, 5, false, false, {}};
        folder.write("scan.raw", bytes);
        fail_unless(read_images(folder / "scan.raw", options) == images);
        folder.write("scan.raw", bytes.substr(0, bytes.size() - 5)); // nothing behind the last
        fail_unless(read_images(folder / "scan.raw", options) == images);
        options.raw.header = 1 + random_between(0, 1000);
        folder.write("header.raw", std::string(options.raw.header, 'h') + bytes);
        fail_unless(read_images(folder / "header.raw", options) == images);
        options.rows = random_rows(height);
        fail_unless(read_images(folder / "header.raw", options) == rows_of(images, options.rows));
        const auto rest = std::exchange(options.raw.header, 0);
        const auto frame = images[0].data.size() + 9;
        if (rest % frame != 0 && rest % frame < frame - 5)
            expect_error(folder / "header.raw", {tomo::text("set raw-header=%d", int(rest % frame))},
                         options);
        fail_unless(read_images(folder / "scan.raw", options) == rows_of(images, options.rows));
        folder.write("scan.raw", bytes.substr(0, bytes.size() - 6));
        expect_error(folder / "scan.raw", {"not a whole number of images", "truncated"}, options);
        options.raw.width = 0;
        expect_error(folder / "scan.raw", {"set raw-width (now 0)"}, options);
        options.raw = {G_MAXUINT, G_MAXUINT, kind.format, G_MAXUINT64, 0, false, false, {}};
        expect_error(folder / "scan.raw", {"too large"}, options);
        options.raw = {width, height, kind.format, 4, 5, false, false, {}};
        options.rows = {};
        options.type = FileType::Raw;
        folder.write("scan.dat", bytes);
        fail_unless(read_images(folder / "scan.dat", options) == images);
    }
    fail_unless(contains(error_of([] { raw_format(13); }), "raw-bitdepth is 13"));
}
GST_END_TEST;

// A pipe would block for ever.
GST_START_TEST(test_not_regular) {
    const Scratch folder;
    fail_unless(mkfifo((folder / "pipe.raw").c_str(), 0600) == 0);
    ReadOptions options;
    options.raw = {1, 1, GST_TOMO_FORMAT_UINT8, 0, 0, false, false, {}};
    expect_error(folder / "pipe.raw", {"is a pipe, socket or device"}, options);
    expect_error("/dev/zero", {"supported"});
}
GST_END_TEST;

GST_START_TEST(test_file_list) {
    const Scratch folder;
    for (const auto *name : {"b.tif", "a.tif", "c.TIFF", "a10.tif", "a2.tif", "notes.txt", "scan.raw"})
        folder.write(name, "x");
    std::filesystem::create_directory(folder / "sub.tif");
    std::filesystem::create_directory(folder / "empty");
    std::filesystem::create_directory(folder / "h5");
    std::filesystem::create_directory(folder / "text");
    folder.write("h5/1.h5", "x");
    folder.write("h5/0.h5", "x");
    folder.write("text/a.txt", "x");
    const auto names = [&](const std::string &path, const ReadOptions &options = {},
                           const FileRange &range = {}) {
        std::string joined;
        for (const auto &file : list_files(path, options, range))
            joined += file.substr(folder.path().size() + 1) + " ";
        return joined;
    };
    const auto by_number = "a.tif a2.tif a10.tif b.tif c.TIFF ";
    fail_unless(names(folder.path()) == by_number);
    fail_unless(names(folder / "a*.tif") == "a.tif a2.tif a10.tif ");
    fail_unless(names(folder / "a*.tif", {}, {0, 1, NameOrder::Name}) == "a.tif a10.tif a2.tif ");
    fail_unless(names(folder / "?.tif") == "a.tif b.tif ");
    fail_unless(names(folder / "[bc].*") == "b.tif c.TIFF ");
    fail_unless(names(folder / "b.tif") == "b.tif ");
    fail_unless(names(folder.path(), {}, {1, 2}) == "a2.tif b.tif ");
    fail_unless(names(folder / "h5/*.h5:/entry/data") == "h5/0.h5:/entry/data h5/1.h5:/entry/data ");
    fail_unless(names(folder / "h5/1.h5:entry/") == "h5/1.h5:/entry ");
    ReadOptions raw;
    raw.raw = {1, 1, GST_TOMO_FORMAT_UINT8, 0, 0, false, false, {}};
    fail_unless(names(folder.path(), raw) == by_number + std::string("scan.raw "));
    raw.type = FileType::Raw;
    fail_unless(names(folder / "*.txt", raw) == "notes.txt ");

    // Arrays of numpy are images where there are no others.
    folder.write("theta.npy", "x");
    folder.write("text/b.npy", "x");
    fail_unless(names(folder.path()) == by_number && names(folder / "*.npy") == "theta.npy ");
    fail_unless(names(folder / "text") == "text/b.npy ");
    std::filesystem::remove(folder / "text/b.npy");

    // A file named like a pattern is a file, and so is a folder.
    folder.write("a[1].tif", "x");
    fail_unless(names(folder / "a[1].tif") == "a[1].tif ");
    for (const auto *name : {"d[1]", "d1", "100%d?"}) {
        std::filesystem::create_directory(folder / name);
        folder.write(name + std::string("/x1.tif"), "x");
        folder.write(name + std::string("/x[1].tif"), "x");
    }
    fail_unless(names(folder / "d[1]/x*.tif") == "d[1]/x1.tif d[1]/x[1].tif ");
    fail_unless(names(folder / "d[1]/x[1].tif") == "d[1]/x[1].tif ");
    fail_unless(names(folder / "d[1-9]/x1.tif") == "d1/x1.tif ");
    fail_unless(names(folder / "100%d?/?1.*") == "100%d?/x1.tif ");
    fail_unless(names(folder / "d*/x1.tif") == "d1/x1.tif d[1]/x1.tif ");
    fail_unless(names(folder / "d[1]") == "d[1]/x1.tif d[1]/x[1].tif ");
    // A home folder.
    g_setenv("HOME", folder.path().c_str(), TRUE);
    fail_unless(names("~/b.tif") == "b.tif " && names("~/h5/*.h5:/d") == "h5/0.h5:/d h5/1.h5:/d ");

    const auto error = [&](const std::string &path, const FileRange &range = {}) {
        return error_of([&] { list_files(path, {}, range); });
    };
    fail_unless(contains(error(folder / "z*.tif"), "no file matches"));
    fail_unless(!contains(error(folder / "z*.tif"), "does not exist"));
    fail_unless(contains(error(folder / "nowhere/z*.tif"),
                         "the folder '" + folder.path() + "/nowhere' does not exist"));
    fail_unless(contains(error(folder / "nowhere"), "No such file or directory"));
    fail_unless(contains(error(folder / "empty"), "holds no file"));
    fail_unless(contains(error(folder / "text"), "none of the 1 files"));
    fail_unless(contains(error(folder / "h5"), "names no dataset"));
    fail_unless(contains(error(folder / "h5:/data"), "No such file"));
    fail_unless(contains(error(folder / "scan.ra[w]"), "set raw-width"));
    fail_unless(contains(error(folder.path(), {6, 1}), "start is 6"));
    fail_unless(contains(error(folder / "b.tif", {1, 1}), "1 file,"));
    fail_unless(contains(error(folder.path(), {0, 0}), "step"));
    fail_unless(contains(error(""), "no path is given"));
}
GST_END_TEST;

// Files that other programs keep beside the images, and links that lead nowhere.
GST_START_TEST(test_hidden_files_and_links) {
    const Scratch folder;
    for (const auto *name : {"a.tif", "._a.tif", ".hidden.tif", "b.tif"})
        folder.write(name, "x");
    const auto count = [&](const std::string &path) { return list_files(path).size(); };
    fail_unless(count(folder.path()) == 2 && count(folder / "*.tif") == 2);
    fail_unless(contains(error_of([&] { count(folder / "?_a.tif"); }), "no file matches"));
    fail_unless(count(folder / "._a.tif") == 1 && count(folder / ".*.tif") == 2 &&
                count(folder / "._?.tif") == 1);
    fail_unless(symlink("a.tif", (folder / "link.tif").c_str()) == 0 && count(folder.path()) == 3);
    fail_unless(symlink("none", (folder / "notes.txt").c_str()) == 0 && count(folder.path()) == 3);
    fail_unless(symlink("/nowhere/c.tif", (folder / "c.tif").c_str()) == 0);
    for (const auto &path : {folder.path(), folder / "*.tif", folder / "c.tif"}) {
        const auto error = error_of([&] { list_files(path); });
        fail_unless(contains(error, "c.tif' is a link to '/nowhere/c.tif', which does not exist"), "%s",
                    error.c_str());
    }
}
GST_END_TEST;

// Each line in order; sorted from any other order, and the same from all.
GST_START_TEST(test_natural_order) {
    const std::vector<std::string> lines[] = {
        {"img_1.tif", "img_2.tif", "img_10.tif", "img_100.tif"},
        {"proj_0deg", "proj_0.25deg", "proj_0.5deg", "proj_1deg", "proj_10deg", "proj_90.125deg"},
        {"p_-10.5", "p_-5", "p_-0.5", "p_0", "p_0.5", "p_3"},
        {"-5deg.tif", "0deg.tif", "5deg.tif"},
        {"s_1.0.tif", "s_1.1.tif", "s_1.9.tif", "s_1.10.tif", "s_2.1.tif"}, // counts
        {"a_0.0.tif", "a_0.25.tif", "a_0.5.tif", "a_1.0.tif"},              // decimals
        {"a_0.05", "a_0.10", "a_0.50", "a_1.00"},
        {"0,25.tif", "0,5.tif", "1.tif", "10.tif"},
        {"x01", "x2", "x003", "x10"},
        {"s_-001", "s_-002", "s_-010"}, // no sign
        {"img-1", "img-2", "img-10"},
        {"2024.1.5", "2024.1.10", "2024.2.1", "2024.10.1"},
        {"größe-1ä", "größe-2", "größe-10"},
        {"w=\u22125", "w=\u22121", "w=0", "w=2"},
        {"a/2.tif", "a1/1.tif", "a1/2.tif", "a10/0.tif"},
        {"", "a", "a1", "a1b", "a2", "ab"},
        {"18446744073709551617", "18446744073709551618", "99999999999999999999999"},
        {"1.tif", "1b.tif", "2.tif"},
    };
    for (const auto &line : lines) {
        auto shuffled = line;
        std::shuffle(shuffled.begin(), shuffled.end(), randomness());
        sort_names(shuffled, NameOrder::Natural);
        std::string said;
        for (const auto &name : shuffled)
            said += name + " ";
        fail_unless(shuffled == line, "%s", said.c_str());
        std::shuffle(shuffled.begin(), shuffled.end(), randomness());
        sort_names(shuffled, NameOrder::Name);
        fail_unless(std::is_sorted(shuffled.begin(), shuffled.end()));
    }
}
GST_END_TEST;

GST_START_TEST(test_names) {
    const auto split = [](const std::string &path, FileType forced = FileType::Automatic) {
        const auto location = split_location(path, forced);
        return location.file + "|" + location.dataset;
    };
    fail_unless(split("a.h5:/x/y") == "a.h5|/x/y");
    fail_unless(split("a.H5:x//y/") == "a.H5|/x/y");
    fail_unless(split("a:b/c.nxs:/x:y") == "a:b/c.nxs|/x:y");
    fail_unless(split("a.tif:/x") == "a.tif:/x|");
    fail_unless(split("a.dat:/x", FileType::Hdf5) == "a.dat|/x");
    fail_unless(split("a.h5:/x", FileType::Tiff) == "a.h5:/x|");
    fail_unless(split("a.h5:") == "a.h5|" && split("a.h5:/") == "a.h5|");
    fail_unless(split("a.h5::/x/y") == "a.h5|/x/y" && split("a.h5::") == "a.h5|");
    fail_unless(split("a.dat::/x", FileType::Hdf5) == "a.dat|/x");
    fail_unless(type_of_suffix("x.TiFf") == FileType::Tiff && type_of_suffix("x.hdf5") == FileType::Hdf5 &&
                type_of_suffix("x.raw") == FileType::Raw && type_of_suffix("x.jpg") == FileType::Jpeg &&
                type_of_suffix("x.xyz") == FileType::Automatic &&
                type_of_suffix(".tif") == FileType::Automatic &&
                type_of_suffix("a/.tif") == FileType::Automatic);
    fail_unless(contains(error_of([] { open_reader("x.xyz"); }), "'.xyz'; the supported ones are .tif"));
    fail_unless(contains(error_of([] { open_reader("a.b/x"); }), "no suffix"));

    const Scratch folder;
    folder.write("a.h5", "x");
    folder.write("b.h5", "x");
    fail_unless(symlink((folder / "a.h5").c_str(), (folder / "link.h5").c_str()) == 0);
    fail_unless(same_file(folder / "a.h5:/x", folder / "link.h5:/y"));
    fail_unless(!same_file(folder / "a.h5", folder / "b.h5") && !same_file(folder / "c.h5", folder / "c.h5"));
}
GST_END_TEST;

static Suite *image_readers_suite() {
    Suite *suite = suite_create("image-readers");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 120);
    randomness();
#ifdef HAVE_TIFF
    tcase_add_test(cases, test_tiff_kinds);
    tcase_add_test(cases, test_tiff_widened);
    tcase_add_test(cases, test_tiff_refused);
    tcase_add_test(cases, test_tiff_forged);
    tcase_add_test(cases, test_tiff_damaged);
    tcase_add_test(cases, test_tiff_previews);
    tcase_add_test(cases, test_tiff_many_pages);
#endif
#ifdef HAVE_HDF5
    tcase_add_test(cases, test_hdf5_types);
    tcase_add_test(cases, test_hdf5_shapes);
    tcase_add_test(cases, test_hdf5_threads);
    tcase_add_test(cases, test_hdf5_shared_chunks);
    tcase_add_test(cases, test_hdf5_truncated);
#endif
    tcase_add_test(cases, test_raw);
    tcase_add_test(cases, test_not_regular);
    tcase_add_test(cases, test_file_list);
    tcase_add_test(cases, test_hidden_files_and_links);
    tcase_add_test(cases, test_natural_order);
    tcase_add_test(cases, test_names);
    return suite;
}

GST_CHECK_MAIN(image_readers);
