// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A mutated file stays of its kind, so that a folder of seeds decides what the time is spent on.
#include <cstddef>

extern "C" std::size_t LLVMFuzzerMutate(unsigned char *data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(unsigned char *data, std::size_t size, std::size_t most,
                                               unsigned) {
    return size < 2 || most < 2 ? size : 1 + LLVMFuzzerMutate(data + 1, size - 1, most - 1);
}
