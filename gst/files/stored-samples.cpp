// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stored-samples.hpp"
#include "byte-order.hpp"

#include <gst/tomo/device/samples.hpp>

namespace tomo::io {

namespace {

using Form = StoredType::Form;

// Two samples of three bytes; `second` is asked for only where it is there.
struct Pair12 {
    const unsigned char *bytes;
    Packing12 packing;

    std::uint16_t first() const {
        return static_cast<std::uint16_t>(packing == Packing12::LowFirst ? bytes[0] | (bytes[1] & 0x0fu) << 8
                                          : packing == Packing12::GigE   ? bytes[0] << 4 | (bytes[1] & 0x0fu)
                                                                         : bytes[0] << 4 | bytes[1] >> 4);
    }
    std::uint16_t second() const {
        return static_cast<std::uint16_t>(packing == Packing12::LowFirst ? bytes[1] >> 4 | bytes[2] << 4
                                          : packing == Packing12::GigE   ? bytes[2] << 4 | bytes[1] >> 4
                                                                       : (bytes[1] & 0x0fu) << 8 | bytes[2]);
    }
};

// Rows follow each other without filling up the last byte, so that a row may begin inside of a pair.
void read_packed_row(const InputFile &file, std::uint64_t image, const StoredType &type, unsigned width,
                     std::uint64_t image_bytes, std::uint64_t row, unsigned char *to,
                     const std::string &where) {
    const auto first = row * width;
    const auto begin = first / 2 * 3;
    const auto end = std::min((first + width + 1) / 2 * 3, image_bytes);
    std::vector<unsigned char> bytes(end - begin + 1); // the last sample may be half a pair
    file.read_at(image + begin, bytes.data(), end - begin, where);
    for (std::uint64_t i = 0; i < width; i++) {
        const Pair12 pair{bytes.data() + (i + first % 2) / 2 * 3, type.packing};
        store(to + 2 * i, (first + i) % 2 ? pair.second() : pair.first());
    }
}

template <class Stored, class Sample>
void widen(const unsigned char *from, std::uint64_t samples, bool swapped, unsigned char *to) {
    for (std::uint64_t i = 0; i < samples; i++)
        store(to + i * sizeof(Sample), static_cast<Sample>(load<Stored>(from + i * sizeof(Stored), swapped)));
}

} // namespace

unsigned StoredType::bits() const {
    switch (form) {
    case Form::Int8:
        return 8;
    case Form::Int64:
    case Form::UInt64:
        return 64;
    case Form::Packed12:
        return 12;
    case Form::AsFormat:
        break;
    }
    return static_cast<unsigned>(8 * gst_tomo_format_get_size(format));
}

StoredType stored_as(GstTomoFormat format, bool swapped) { return {format, Form::AsFormat, swapped, {}}; }

StoredType stored_as(Form form, bool swapped) {
    const auto format = form == Form::Int8       ? GST_TOMO_FORMAT_INT16
                        : form == Form::Packed12 ? GST_TOMO_FORMAT_UINT16
                                                 : GST_TOMO_FORMAT_FLOAT64;
    return {format, form, swapped, {}};
}

bool stored_size(const StoredType &type, std::uint64_t width, std::uint64_t height, std::uint64_t &bytes) {
    if (!multiply({width, height, type.bits()}, bytes))
        return false;
    bytes = bytes / 8 + (bytes % 8 != 0);
    return true;
}

void read_stored_rows(const InputFile &file, std::uint64_t offset, const StoredType &type, unsigned width,
                      unsigned height, const RowRegion &rows, void *destination, const std::string &where) {
    const auto wanted = rows.rows_of(height, where);
    const std::uint64_t format_size = gst_tomo_format_get_size(type.format);
    auto *to = static_cast<unsigned char *>(destination);

    if (type.form == Form::Packed12) {
        std::uint64_t image_bytes = 0;
        stored_size(type, width, height, image_bytes);
        for (unsigned i = 0; i < wanted; i++, to += width * format_size)
            read_packed_row(file, offset, type, width, image_bytes, rows.first + std::uint64_t{i} * rows.step,
                            to, where);
        return;
    }

    const std::uint64_t row_bytes = width * (type.bits() / 8);
    const unsigned together = rows.step == 1 ? wanted : 1; // rows that follow each other are read at once
    std::vector<unsigned char> narrow(type.form == Form::Int8 ? together * row_bytes : 0);
    for (unsigned i = 0; i < wanted; i += together, to += together * width * format_size) {
        const auto from = offset + (rows.first + std::uint64_t{i} * rows.step) * row_bytes;
        const auto samples = std::uint64_t{together} * width;
        auto *raw = narrow.empty() ? to : narrow.data();
        file.read_at(from, raw, together * row_bytes, where);
        if (type.form == Form::Int8)
            widen<std::int8_t, std::int16_t>(raw, samples, false, to);
        else if (type.form == Form::Int64)
            widen<std::int64_t, double>(raw, samples, type.swapped, to);
        else if (type.form == Form::UInt64)
            widen<std::uint64_t, double>(raw, samples, type.swapped, to);
        else if (type.swapped)
            swap_bytes(to, type.format == GST_TOMO_FORMAT_COMPLEX64 ? 2 * samples : samples,
                       type.format == GST_TOMO_FORMAT_COMPLEX64 ? 4 : format_size);
    }
}

std::vector<double> read_stored_numbers(const InputFile &file, std::uint64_t offset, const StoredType &type,
                                        unsigned count, const std::string &where) {
    // Of doubles, so that samples of every type are aligned.
    std::vector<double> memory(count * gst_tomo_format_get_size(type.format) / sizeof(double) + 1), numbers;
    read_stored_rows(file, offset, type, count, 1, {}, memory.data(), where);
    with_real_samples(type.format, memory.data(),
                      [&](const auto *samples) { numbers.assign(samples, samples + count); });
    return numbers;
}

} // namespace tomo::io
