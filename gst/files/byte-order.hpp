// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tomo::io {

constexpr bool host_is_little_endian = G_BYTE_ORDER == G_LITTLE_ENDIAN;

// Reverses the bytes of each of `units` units of `unit_size` bytes. A complex sample is two units.
inline void swap_bytes(void *data, std::uint64_t units, std::size_t unit_size) {
    auto *bytes = static_cast<unsigned char *>(data);
    if (unit_size > 1)
        for (std::uint64_t i = 0; i < units; i++, bytes += unit_size)
            std::reverse(bytes, bytes + unit_size);
}

// A number at any place in memory.
template <class Number>
Number load(const void *from, bool swapped = false) {
    static_assert(std::is_trivially_copyable_v<Number>);
    Number number;
    std::memcpy(&number, from, sizeof number);
    if (swapped)
        swap_bytes(&number, 1, sizeof number);
    return number;
}

template <class Number>
void store(void *to, Number number, bool swapped = false) {
    static_assert(std::is_trivially_copyable_v<Number>);
    if (swapped)
        swap_bytes(&number, 1, sizeof number);
    std::memcpy(to, &number, sizeof number);
}

} // namespace tomo::io
