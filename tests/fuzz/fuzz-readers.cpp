// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reads whatever it is given as an image file. The first byte says as which format and which rows; the rest
// is the file. An Error is the right answer to most of them; anything else that ends the process is a
// finding.
#include <elements/io/image-reader.hpp>

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace tomo::io;

namespace {

constexpr FileType types[] = {FileType::Edf, FileType::Pnm,  FileType::Raw, FileType::Tiff,
                              FileType::Png, FileType::Jpeg, FileType::Hdf5};

void read_all(const std::string &path, const ReadOptions &options) {
    constexpr std::uint64_t most_bytes = 64 << 20;
    const auto reader = open_reader(path, options);
    for (std::size_t page = 0; page < 8 && reader->has_page(page); page++) {
        const auto info = reader->info(page);
        if (info.size() > most_bytes)
            continue;
        std::vector<unsigned char> pixels(info.size()); // of exactly that size, for the sanitizer
        reader->read(page, pixels.data(), pixels.size());
    }
    reader->pages();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
    if (size < 2)
        return 0;
    const unsigned choice = data[0];
    ReadOptions options;
    options.type = types[choice % std::size(types)];
    if (choice & 0x80) {
        options.rows.first = 1;
        options.rows.step = 2;
    }
    options.raw.width = 7;
    options.raw.height = 5;
    options.raw.format = choice & 0x40 ? GST_TOMO_FORMAT_UINT16 : GST_TOMO_FORMAT_FLOAT64;
    options.raw.packed12 = choice & 0x40;
    options.raw.packing = static_cast<Packing12>(choice / 7 % 3);

    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, data + 1, size - 1) != static_cast<ssize_t>(size - 1))
        abort();
    auto path = "/proc/self/fd/" + std::to_string(file);
    if (options.type == FileType::Hdf5)
        path += ":/data";
    try {
        read_all(path, options);
    } catch (const tomo::Error &) {
    }
    close(file);
    return 0;
}
