// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "directories.hpp"
#include <gst/files/byte-order.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

namespace tomo::io {

// The tags that this project writes.
enum TiffTag : std::uint16_t {
    ImageWidth = 256,
    ImageLength = 257,
    BitsPerSample = 258,
    Compression = 259,
    Photometric = 262,
    ImageDescription = 270,
    StripOffsets = 273,
    SamplesPerPixel = 277,
    RowsPerStrip = 278,
    StripByteCounts = 279,
    PlanarConfiguration = 284,
    Software = 305,
    SampleFormat = 339,
    SMinSampleValue = 340,
    SMaxSampleValue = 341,
};

enum TiffType : std::uint16_t { Ascii = 2, Short = 3, Long = 4, Double = 12, Long8 = 16 };

// Builds a directory: entries with their values, and behind them the values that do not fit into an entry.
class NewTiffDirectory {
  public:
    NewTiffDirectory(const TiffFlavour &flavour, unsigned entries, std::uint64_t offset)
        : flavour_(flavour), offset_(offset) {
        bytes_.resize(flavour.count_size());
        if (flavour.big)
            store<std::uint64_t>(bytes_.data(), entries, flavour.swapped);
        else
            store(bytes_.data(), static_cast<std::uint16_t>(entries), flavour.swapped);
        next_value_ = flavour.count_size() + entries * flavour.entry_size() + flavour.offset_size();
        link_ = next_value_ - flavour.offset_size();
        bytes_.resize(next_value_);
        next_entry_ = flavour.count_size();
    }

    void add(TiffTag tag, TiffType type, const std::vector<std::uint64_t> &numbers) {
        std::vector<unsigned char> value;
        for (const auto number : numbers) {
            const auto at = value.size();
            value.resize(at + size_of(type));
            store_number(value.data() + at, number, size_of(type));
        }
        add(tag, type, numbers.size(), value);
    }
    void add(TiffTag tag, TiffType type, std::uint64_t number) {
        add(tag, type, std::vector<std::uint64_t>{number});
    }
    void add(TiffTag tag, const char *string, std::size_t length) {
        add(tag, Ascii, length, std::vector<unsigned char>(string, string + length));
    }
    void add_real(TiffTag tag, const std::vector<double> &numbers) {
        std::vector<std::uint64_t> bits(numbers.size());
        std::memcpy(bits.data(), numbers.data(), numbers.size() * sizeof(double));
        add(tag, Double, bits);
    }

    // Place of a tag's value in the file, and its size in bytes.
    std::uint64_t place_of(TiffTag tag) const { return offset_ + places_.at(tag).first; }
    std::size_t size_of(TiffTag tag) const { return places_.at(tag).second; }

    const std::vector<unsigned char> &bytes() const { return bytes_; }
    std::uint64_t link() const { return offset_ + link_; } // place to write the offset of the next directory

    static std::size_t size_of(TiffType type) {
        return type == Ascii ? 1 : type == Short ? 2 : type == Long ? 4 : 8;
    }

  private:
    void store_number(unsigned char *to, std::uint64_t number, std::size_t size) const {
        if (size == 2)
            store(to, static_cast<std::uint16_t>(number), flavour_.swapped);
        else if (size == 4)
            store(to, static_cast<std::uint32_t>(number), flavour_.swapped);
        else
            store(to, number, flavour_.swapped);
    }

    void add(TiffTag tag, TiffType type, std::uint64_t count, const std::vector<unsigned char> &value) {
        auto *entry = bytes_.data() + next_entry_;
        const auto width = flavour_.offset_size();
        store(entry, static_cast<std::uint16_t>(tag), flavour_.swapped);
        store(entry + 2, static_cast<std::uint16_t>(type), flavour_.swapped);
        store_number(entry + 4, count, width);
        next_entry_ += flavour_.entry_size();
        places_[tag] = {value.size() <= width ? next_entry_ - width : bytes_.size(), value.size()};
        if (value.size() <= width) {
            std::copy(value.begin(), value.end(), entry + 4 + width);
            return;
        }
        store_number(entry + 4 + width, offset_ + bytes_.size(), width);
        bytes_.insert(bytes_.end(), value.begin(), value.end());
        bytes_.resize((bytes_.size() + 7) / 8 * 8);
    }

    TiffFlavour flavour_;
    std::uint64_t offset_;
    std::size_t next_entry_ = 0, next_value_ = 0, link_ = 0;
    std::map<TiffTag, std::pair<std::size_t, std::size_t>> places_;
    std::vector<unsigned char> bytes_;
};

} // namespace tomo::io
