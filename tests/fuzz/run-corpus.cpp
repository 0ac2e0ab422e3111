// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Gives every file of a folder to the fuzz target, without a fuzzer: what was found once stays away. Those
// named seed-... are sound.
#include "input.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size);

int main(int, char **argv) {
    // What a few bytes only claim to hold must not be allocated.
    rlimit memory;
    getrlimit(RLIMIT_AS, &memory);
    memory.rlim_cur = rlim_t{2} << 30;
    setrlimit(RLIMIT_AS, &memory);
    unsigned files = 0;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(argv[1])) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        std::printf("%s\n", entry.path().c_str());
        std::fflush(stdout);
        fuzz::is_sound = entry.path().filename().string().rfind("seed-", 0) == 0;
        LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
        files++;
    }
    return files ? 0 : 1;
}
