// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Formats: the HDF Group's registered filters 32004 (LZ4, HDF5_LZ4.pdf) and 32008 (bitshuffle, Masui et al.,
// Astronomy and Computing 12 (2015) 181). Both start with the number of bytes behind and that of a block, big
// endian; before each block stands how many bytes it takes.
#ifdef HAVE_HDF5

#include "filters.hpp"
#include "compressed.hpp"
#include <gst/files/byte-order.hpp>

#ifdef HAVE_LZ4
#include <lz4.h>
#endif
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#include <algorithm>

namespace tomo::io {

namespace {

constexpr H5Z_filter_t lz4_filter = 32004, bitshuffle_filter = 32008;

[[noreturn]] void damaged(const char *what) {
    throw Error(GST_STREAM_ERROR_DECODE, text("the %s data is damaged", what));
}

struct Bytes {
    const unsigned char *data;
    std::size_t left;

    const unsigned char *take(std::size_t count, const char *what) {
        if (count > left)
            damaged(what);
        left -= count;
        return std::exchange(data, data + count);
    }
    template <class Number>
    Number take_number(const char *what) { // big endian
        return load<Number>(take(sizeof(Number), what), host_is_little_endian);
    }
};

void decompress_lz4_block([[maybe_unused]] const void *from, [[maybe_unused]] std::size_t bytes,
                          [[maybe_unused]] void *to, [[maybe_unused]] std::size_t size) {
#ifdef HAVE_LZ4
    constexpr std::size_t most = LZ4_MAX_INPUT_SIZE;
    if (bytes > most || size > most ||
        LZ4_decompress_safe(static_cast<const char *>(from), static_cast<char *>(to), static_cast<int>(bytes),
                            static_cast<int>(size)) != static_cast<int>(size))
        damaged("LZ4");
#else
    throw Error(GST_STREAM_ERROR_CODEC_NOT_FOUND,
                "this build has no support for LZ4; build gst-tomo with liblz4");
#endif
}

void decompress_lz4(Bytes in, void *destination, std::size_t size) {
    auto *out = static_cast<char *>(destination);
    const auto whole = in.take_number<std::uint64_t>("LZ4"),
               block = std::uint64_t{in.take_number<std::uint32_t>("LZ4")};
    if (whole != size || (block == 0 && size > 0))
        damaged("LZ4");
    for (std::size_t at = 0; at < size;) {
        const auto length = std::min<std::uint64_t>(block, size - at);
        const auto stored = in.take_number<std::uint32_t>("LZ4");
        const auto *from = in.take(stored, "LZ4");
        if (stored == length)
            std::memcpy(out + at, from, length);
        else
            decompress_lz4_block(from, stored, out + at, length);
        at += length;
    }
}

// At -O2, as distributions build, GCC neither unrolls these loops nor makes vectors of them: 0.8 instead of
// 1.6 GB/s of a core.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("O3")
#endif

// Swaps those bits of `b` with the ones of `a` that stand `shift` higher.
void exchange(std::uint64_t &a, std::uint64_t &b, int shift, std::uint64_t mask) {
    const auto t = ((a >> shift) ^ b) & mask;
    b ^= t;
    a ^= t << shift;
}

void transpose(std::uint64_t (&w)[8], int unit, const std::uint64_t (&masks)[3]) {
    for (int i = 0; i < 4; i++)
        exchange(w[i], w[i + 4], 4 * unit, masks[0]);
    for (int i : {0, 1, 4, 5})
        exchange(w[i], w[i + 2], 2 * unit, masks[1]);
    for (int i : {0, 2, 4, 6})
        exchange(w[i], w[i + 1], unit, masks[2]);
}

// Eight planes of bits, the lowest first, each of elements / 8 bytes, become one plane of bytes.
void join_bits(const unsigned char *planes, std::size_t elements, unsigned char *bytes) {
    static constexpr std::uint64_t bits[] = {0x0f0f0f0f0f0f0f0f, 0x3333333333333333, 0x5555555555555555},
                                   lanes[] = {0x00000000ffffffff, 0x0000ffff0000ffff, 0x00ff00ff00ff00ff};
    const auto pitch = elements / 8;
    for (std::size_t at = 0; at < pitch; at += 8) {
        const auto count = std::min<std::size_t>(8, pitch - at);
        std::uint64_t words[8] = {};
        for (int k = 0; k < 8; k++)
            if (count == 8)
                std::memcpy(&words[k], planes + k * pitch + at, 8);
            else
                std::memcpy(&words[k], planes + k * pitch + at, count);
        transpose(words, 1, bits);  // of bit k of eight elements ...
        transpose(words, 8, lanes); // ... in the order of elements
        std::memcpy(bytes + 8 * at, words, 8 * count);
    }
}

template <std::size_t size>
void interleave(const unsigned char *planes, std::size_t elements, unsigned char *to) {
    for (std::size_t i = 0; i < elements; i++)
        for (std::size_t j = 0; j < size; j++)
            to[i * size + j] = planes[j * elements + i];
}

// Planes of bytes, the first bytes of all elements, then the second ones, become elements.
void join_bytes(const unsigned char *planes, std::size_t elements, std::size_t size, unsigned char *to) {
    switch (size) {
    case 1:
        std::memcpy(to, planes, elements);
        return;
    case 2:
        return interleave<2>(planes, elements, to);
    case 4:
        return interleave<4>(planes, elements, to);
    case 8:
        return interleave<8>(planes, elements, to);
    default:
        for (std::size_t i = 0; i < elements; i++)
            for (std::size_t j = 0; j < size; j++)
                to[i * size + j] = planes[j * elements + i];
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

// A multiple of eight elements.
void unshuffle_bits(const unsigned char *from, std::size_t elements, std::size_t size, unsigned char *to,
                    std::vector<unsigned char> &planes) {
    planes.resize(elements * size);
    for (std::size_t j = 0; j < size; j++)
        join_bits(from + j * elements, elements, planes.data() + j * elements);
    join_bytes(planes.data(), elements, size, to);
}

// Elements per block where the file says none: 8 KiB, but 128 elements at least.
std::size_t usual_block(std::size_t size) { return std::max<std::size_t>(8192 / size / 8 * 8, 128); }

void undo_bitshuffle(const Hdf5Filter &filter, Bytes in, void *destination, std::size_t bytes) {
    static constexpr char what[] = "bitshuffle";
    const std::size_t size = filter.values[2];
    const bool compressed = filter.values.size() > 4 && filter.values[4] == 2;
    auto *out = static_cast<unsigned char *>(destination);
    std::size_t block = filter.values.size() > 3 && filter.values[3] ? filter.values[3] : usual_block(size);
    if (compressed) {
        if (in.take_number<std::uint64_t>(what) != bytes)
            damaged(what);
        block = in.take_number<std::uint32_t>(what) / size;
    }
    if (block == 0 || block % 8 != 0 || block * size > (1u << 30))
        damaged(what);
    const auto elements = bytes / size;
    std::vector<unsigned char> shuffled, planes;
    // Less than eight elements stand at the end as they are.
    for (std::size_t at = 0; at < elements / 8 * 8;) {
        const auto count = std::min(block, (elements - at) / 8 * 8);
        const unsigned char *from;
        if (compressed) {
            const auto stored = in.take_number<std::uint32_t>(what);
            shuffled.resize(count * size);
            decompress_lz4_block(in.take(stored, what), stored, shuffled.data(), shuffled.size());
            from = shuffled.data();
        } else {
            from = in.take(count * size, what);
        }
        unshuffle_bits(from, count, size, out + at * size, planes);
        at += count;
    }
    const auto rest = bytes - elements / 8 * 8 * size;
    std::memcpy(out + bytes - rest, in.take(rest, what), rest);
}

void inflate_bytes([[maybe_unused]] Bytes in, [[maybe_unused]] void *destination,
                   [[maybe_unused]] std::size_t size) {
#ifdef HAVE_ZLIB
    uLongf got = size;
    if (uncompress(static_cast<Bytef *>(destination), &got, in.data, in.left) != Z_OK || got != size)
        damaged("deflate");
#endif
}

void undo(const Hdf5Filter &filter, Bytes in, void *destination, std::size_t size) {
    switch (filter.id) {
    case H5Z_FILTER_DEFLATE:
        return inflate_bytes(in, destination, size);
    case H5Z_FILTER_SHUFFLE: {
        if (in.left != size)
            damaged("shuffle");
        const std::size_t unit = filter.values[0], elements = size / unit;
        join_bytes(in.data, elements, unit, static_cast<unsigned char *>(destination));
        std::memcpy(static_cast<char *>(destination) + elements * unit, in.data + elements * unit,
                    size - elements * unit);
        return;
    }
    case lz4_filter:
        return decompress_lz4(in, destination, size);
    default:
        return undo_bitshuffle(filter, in, destination, size);
    }
}

} // namespace

bool can_decode(const Hdf5Filter &filter) {
    const auto &values = filter.values;
    switch (filter.id) {
#ifdef HAVE_ZLIB
    case H5Z_FILTER_DEFLATE:
        return true;
#endif
    case H5Z_FILTER_SHUFFLE:
        return values.size() > 0 && values[0] > 0;
#ifdef HAVE_LZ4
    case lz4_filter:
        return true;
#endif
    case bitshuffle_filter:
#ifdef HAVE_LZ4
        if (values.size() > 4 && values[4] == 2)
            return values[2] > 0 && values[2] <= 4096;
#endif
        return values.size() > 2 && values[2] > 0 && values[2] <= 4096 &&
               (values.size() < 5 || values[4] == 0);
    default:
        return false;
    }
}

bool keeps_size(const Hdf5Filter &filter) {
    return filter.id == H5Z_FILTER_SHUFFLE ||
           (filter.id == bitshuffle_filter && (filter.values.size() < 5 || filter.values[4] == 0));
}

void decode_chunk(const std::vector<Hdf5Filter> &filters, unsigned skipped, const void *stored,
                  std::size_t stored_size, void *destination, std::size_t size) {
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < filters.size(); i++)
        if (i >= 32 || !(skipped >> i & 1))
            used.push_back(i);
    if (used.empty()) {
        if (stored_size != size)
            damaged("stored");
        std::memcpy(destination, stored, size);
        return;
    }
    static thread_local std::vector<unsigned char> between, next;
    Bytes in{static_cast<const unsigned char *>(stored), stored_size};
    while (used.size() > 1) {
        next.resize(size);
        undo(filters[used.back()], in, next.data(), size);
        std::swap(between, next);
        in = {between.data(), size};
        used.pop_back();
    }
    undo(filters[used[0]], in, destination, size);
}

void decode_lz4(const void *stored, std::size_t stored_size, void *to, std::size_t size) {
    decode_chunk({{lz4_filter, {}}}, 0, stored, stored_size, to, size);
}

void decode_bitshuffle_lz4(const void *stored, std::size_t stored_size, std::size_t element_size, void *to,
                           std::size_t size) {
    const Hdf5Filter filter{bitshuffle_filter, {0, 0, static_cast<unsigned>(element_size), 0, 2}};
    if (element_size > 4096 || !can_decode(filter))
        throw Error(
            GST_STREAM_ERROR_CODEC_NOT_FOUND,
            text("bitshuffle with elements of %zu bytes can't be undone by this build", element_size));
    decode_chunk({filter}, 0, stored, stored_size, to, size);
}

std::string hdf5_packages_of_filter(H5Z_filter_t id) {
    // Registered at https://github.com/HDFGroup/hdf5_plugins (docs/RegisteredFilterPlugins.md).
    struct Packages {
        H5Z_filter_t id;
        const char *debian;
        bool in_hdf5plugin; // PyPI
    };
    static constexpr Packages known[] = {
        {307, "hdf5-filter-plugin", true},                // bzip2
        {32000, "hdf5-plugin-lzf", false},                // LZF
        {32001, "hdf5-filter-plugin-blosc-serial", true}, // Blosc
        {32004, "hdf5-filter-plugin", true},              // LZ4
        {32008, "hdf5-filter-plugin", true},              // bitshuffle
        {32013, "hdf5-filter-plugin-zfp-serial", true},   // ZFP
        {32015, nullptr, true},                           // Zstandard
        {32017, nullptr, true},                           // SZ
        {32018, nullptr, true},                           // FCIDECOMP
        {32024, nullptr, true},                           // SZ3
        {32026, nullptr, true},                           // Blosc2
        {32028, nullptr, true},                           // SPERR
    };
    std::string packages;
    for (const auto &filter : known) {
        if (filter.id != id)
            continue;
        if (filter.debian)
            packages = text("Debian's package %s", filter.debian);
        if (filter.in_hdf5plugin)
            packages += text("%sPyPI's hdf5plugin, with HDF5_PLUGIN_PATH=$(python3 -c 'import hdf5plugin; "
                             "print(hdf5plugin.PLUGIN_PATH)')",
                             packages.empty() ? "" : ", or ");
    }
    return packages;
}

} // namespace tomo::io

#endif // HAVE_HDF5
