// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "halving.hpp"

#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>
#include <vector>

namespace tomo::io {

namespace {

float float_of(Half half) {
    constexpr float scale = 0x1p112f; // exponents count from 15 in one format, and from 127 in the other
    const std::uint32_t magnitude = half.bits & 0x7fff, sign = std::uint32_t{half.bits} << 16 & 0x80000000;
    const auto bits = magnitude >= 0x7c00
                          ? 0x7f800000 | magnitude << 13
                          : std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * scale);
    return std::bit_cast<float>(bits | sign);
}

// The nearest one, of two the even one.
Half half_of_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = bits >> 16 & 0x8000;
    auto magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        magnitude = 0x7e00;
    else if (magnitude >= 0x47800000) // 65536
        magnitude = 0x7c00;
    else if (magnitude < 0x38800000) // below the smallest normal number
        magnitude = static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24f));
    else
        magnitude = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
    return {static_cast<std::uint16_t>(sign | magnitude)};
}

template <class Number>
bool is_nan(Number number) {
    if constexpr (std::is_floating_point_v<Number>)
        return std::isnan(number);
    else
        return false;
}

// How samples of a type are summed up and divided.
template <class Sample, class Total>
struct Integers {
    using Sum = Total;
    static Sum value(Sample sample) { return sample; }
    // 1, 2, 4 or 8 of them. The shift rounds down, also below 0.
    static Sample mean(Sum sum, unsigned count) {
        return static_cast<Sample>((sum + count / 2) >> std::countr_zero(count));
    }
};
template <class Sample>
struct Floats {
    using Sum = Sample;
    static Sum value(Sample sample) { return sample; }
    static Sample mean(Sum sum, unsigned count) { return sum / static_cast<Sum>(count); }
};
struct Halves {
    using Sum = float;
    static Sum value(Half sample) { return float_of(sample); }
    static Half mean(Sum sum, unsigned count) { return half_of_float(sum / static_cast<Sum>(count)); }
};

// Means of pairs of columns over `count` rows, and whether one of them is NaN, for a number of pairs that is
// a multiple of 4: most of a pyramid's time, and slow sample by sample.
constexpr unsigned pairs_at_once = 4;

bool halve_floats(const float *const *rows, unsigned count, unsigned pairs, float *to) {
    using Floats4 = float __attribute__((vector_size(16), aligned(4)));
    using Integers4 = int __attribute__((vector_size(16)));
    const auto load = [](const float *from) { return *reinterpret_cast<const Floats4 *>(from); };
    const float scale = 0.5f / static_cast<float>(count);
    Integers4 is_nan = {};
    for (unsigned x = 0; x < pairs; x += pairs_at_once) {
        auto left = load(rows[0] + 2 * x), right = load(rows[0] + 2 * x + 4);
        for (unsigned row = 1; row < count; row++) {
            left += load(rows[row] + 2 * x);
            right += load(rows[row] + 2 * x + 4);
        }
        const auto mean = (__builtin_shuffle(left, right, Integers4{0, 2, 4, 6}) +
                           __builtin_shuffle(left, right, Integers4{1, 3, 5, 7})) *
                          scale;
        is_nan |= mean != mean;
        *reinterpret_cast<Floats4 *>(to + x) = mean;
    }
    return is_nan[0] || is_nan[1] || is_nan[2] || is_nan[3];
}

// The same of 16 bits, rounded. Two columns are a number of 32 bits, which the compiler must know to be the
// same memory.
void halve_shorts(const std::uint16_t *const *rows, unsigned count, unsigned pairs, std::uint16_t *to) {
    using Pairs4 = std::uint32_t __attribute__((vector_size(16), aligned(2), may_alias));
    using Shorts4 = std::uint16_t __attribute__((vector_size(8), aligned(2)));
    const auto shift = static_cast<std::uint32_t>(std::countr_zero(2 * count));
    for (unsigned x = 0; x < pairs; x += pairs_at_once) {
        Pairs4 sum = {count, count, count, count};
        for (unsigned row = 0; row < count; row++) {
            const auto columns = *reinterpret_cast<const Pairs4 *>(rows[row] + 2 * x);
            sum += (columns & 0xffff) + (columns >> 16);
        }
        *reinterpret_cast<Shorts4 *>(to + x) = __builtin_convertvector(sum >> shift, Shorts4);
    }
}

template <class Sample, class Kind>
class Halving {
  public:
    using Sum = typename Kind::Sum;

    // `parts` numbers make a sample.
    Halving(unsigned columns, unsigned parts)
        : columns_(columns), parts_(parts), sums_(std::size_t{columns} * parts) {}

    // The mean of `count` rows, 1, 2 or 4.
    void rows(const Sample *const *rows, unsigned count, Sample *to) {
        const unsigned pairs = columns_ / 2;
        bool has_nan = false;
        unsigned done = 0;
        if constexpr (std::is_same_v<Sample, float>)
            if (parts_ == 1) {
                done = pairs / pairs_at_once * pairs_at_once;
                has_nan = halve_floats(rows, count, done, to);
            }
        if constexpr (std::is_same_v<Sample, std::uint16_t>) {
            done = pairs / pairs_at_once * pairs_at_once;
            halve_shorts(rows, count, done, to);
        }
        const std::size_t first = 2 * done * parts_;
        std::transform(rows[0] + first, rows[0] + sums_.size(), sums_.begin() + first, Kind::value);
        for (unsigned row = 1; row < count; row++)
            for (std::size_t i = first; i < sums_.size(); i++)
                sums_[i] += Kind::value(rows[row][i]);
        for (unsigned x = done; x < pairs; x++)
            for (unsigned part = 0; part < parts_; part++) {
                const Sum sum = sums_[2 * x * parts_ + part] + sums_[(2 * x + 1) * parts_ + part];
                to[x * parts_ + part] = Kind::mean(sum, 2 * count);
                has_nan |= is_nan(sum);
            }
        if (columns_ % 2 == 1)
            for (unsigned part = 0; part < parts_; part++) {
                const Sum sum = sums_[2 * pairs * parts_ + part];
                to[pairs * parts_ + part] = Kind::mean(sum, count);
                has_nan |= is_nan(sum);
            }
        if (has_nan)
            without_nan(rows, count, to);
    }

  private:
    void without_nan(const Sample *const *rows, unsigned count, Sample *to) const {
        for (unsigned x = 0; x < half_of(columns_); x++)
            for (unsigned part = 0; part < parts_; part++) {
                Sum sum = 0;
                unsigned there = 0;
                for (unsigned row = 0; row < count; row++)
                    for (unsigned column = 2 * x; column < std::min(2 * x + 2, columns_); column++) {
                        const Sum value = Kind::value(rows[row][column * parts_ + part]);
                        if (!is_nan(value)) {
                            sum += value;
                            there++;
                        }
                    }
                if (there > 0) // else it is NaN already
                    to[x * parts_ + part] = Kind::mean(sum, there);
            }
    }

    const unsigned columns_, parts_;
    std::vector<Sum> sums_; // of a column of up to four samples
};

// Two images or one to one image.
struct Pair {
    const void *images[2];
    unsigned count, rows, columns;
    std::size_t step_of_row;
    void *to;
    std::size_t step_of_row_to;
};

template <class Sample, class Kind>
void halve_as(const Pair &pair, unsigned parts) {
    Halving<Sample, Kind> halving(pair.columns, parts);
    for (unsigned y = 0; y < half_of(pair.rows); y++) {
        const Sample *rows[4] = {};
        unsigned count = 0;
        for (unsigned image = 0; image < pair.count; image++)
            for (unsigned row = 2 * y; row < std::min(2 * y + 2, pair.rows); row++)
                rows[count++] =
                    static_cast<const Sample *>(pair.images[image]) + row * pair.step_of_row * parts;
        halving.rows(rows, count, static_cast<Sample *>(pair.to) + y * pair.step_of_row_to * parts);
    }
}

void halve_pair(GstTomoFormat format, const Pair &pair) {
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return halve_as<std::uint8_t, Integers<std::uint8_t, std::uint32_t>>(pair, 1);
    case GST_TOMO_FORMAT_UINT16:
        return halve_as<std::uint16_t, Integers<std::uint16_t, std::uint32_t>>(pair, 1);
    case GST_TOMO_FORMAT_UINT32:
        return halve_as<std::uint32_t, Integers<std::uint32_t, std::uint64_t>>(pair, 1);
    case GST_TOMO_FORMAT_INT16:
        return halve_as<std::int16_t, Integers<std::int16_t, std::int32_t>>(pair, 1);
    case GST_TOMO_FORMAT_INT32:
        return halve_as<std::int32_t, Integers<std::int32_t, std::int64_t>>(pair, 1);
    case GST_TOMO_FORMAT_FLOAT16:
        return halve_as<Half, Halves>(pair, 1);
    case GST_TOMO_FORMAT_FLOAT32:
        return halve_as<float, Floats<float>>(pair, 1);
    case GST_TOMO_FORMAT_FLOAT64:
        return halve_as<double, Floats<double>>(pair, 1);
    case GST_TOMO_FORMAT_COMPLEX64:
        return halve_as<float, Floats<float>>(pair, 2);
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
}

} // namespace

void halve(GstTomoFormat format, const Box<const void *> &from, const Box<void *> &to) {
    const auto size = gst_tomo_format_get_size(format);
    for (unsigned z = 0; z < half_of(from.images); z++) {
        const auto *first = static_cast<const char *>(from.samples) + 2 * z * from.step_of_image * size;
        halve_pair(format, {{first, first + from.step_of_image * size},
                            std::min(2u, from.images - 2 * z),
                            from.rows,
                            from.columns,
                            from.step_of_row,
                            static_cast<char *>(to.samples) + z * to.step_of_image * size,
                            to.step_of_row});
    }
}

void halve_images(GstTomoFormat format, const void *first, const void *second, unsigned rows,
                  unsigned columns, void *to) {
    halve_pair(format, {{first, second}, second ? 2u : 1u, rows, columns, columns, to, half_of(columns)});
}

} // namespace tomo::io
