// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reads whatever it is given as a file. The first byte says of which kind. An Error is the right answer to
// most of them; anything else that ends the process is a finding.
#include "input.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using tomo::io::FileType;

namespace fuzz {

File::File(const Input &content) : path_(std::filesystem::temp_directory_path() / "fuzz-XXXXXX") {
    const int file = mkstemp(path_.data());
    const auto size = static_cast<ssize_t>(content.left());
    if (file < 0 || write(file, content.data(), content.left()) != size || close(file) != 0)
        std::abort();
}

File::~File() { unlink(path_.c_str()); }

bool is_sound = false;

void disagree(const char *what) {
    std::fprintf(stderr, "ERROR: %s\n", what);
    std::abort();
}

namespace {

void read(Input input) {
    constexpr FileType types[] = {FileType::Edf, FileType::Pnm,  FileType::Raw, FileType::Tiff,
                                  FileType::Png, FileType::Jpeg, FileType::Hdf5};
    enum { HDF5_SCAN = 7, FOLDER_SCAN, CHUNK, NUMPY, KINDS };
    static_assert(std::size(types) == HDF5_SCAN);
    const auto kind = input.byte() % KINDS;
    if (kind == CHUNK)
        return decode_chunks(input);
    const Settings settings(input);
    if (kind == NUMPY)
        read_images(FileType::Npy, settings, input);
    else if (kind == HDF5_SCAN)
        read_hdf5_scan(settings, input);
    else if (kind == FOLDER_SCAN)
        read_folder_scan(settings, input);
    else
        read_images(types[kind], settings, input);
}

} // namespace

} // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
    try {
        fuzz::read({data, size});
    } catch (const tomo::Error &error) {
        static const bool say = g_getenv("FUZZ_SAY");
        if (say)
            std::printf("%s\n", error.what());
    }
    return 0;
}
