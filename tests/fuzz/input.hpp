// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a fuzzer gives, taken apart: the kind of file, some numbers for what a user may set, and the file.
#pragma once

#include <gst/files/image-reader.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace fuzz {

class Input {
  public:
    Input(const unsigned char *data, std::size_t size) : data_(data), left_(size) {}

    const unsigned char *data() const { return data_; }
    std::size_t left() const { return left_; }
    unsigned byte() { return left_ ? (left_--, *data_++) : 0; } // 0 behind the end
    Input part(std::size_t size) {
        size = std::min(size, left_);
        left_ -= size;
        return {std::exchange(data_, data_ + size), size};
    }

  private:
    const unsigned char *data_;
    std::size_t left_;
};

// Four bytes before the file.
struct Settings {
    tomo::io::Part part; // mostly all of it
    unsigned various;    // each kind has its own use for it

    explicit Settings(Input &input) {
        const unsigned rows = input.byte(), columns = input.byte();
        part.rows = {rows & 3, rows >> 5, 1 + (rows >> 2 & 3)};
        part.first_column = columns & 7;
        part.columns = columns >> 4;
        various = input.byte();
        various |= input.byte() << 8;
    }
};

// A file that goes with its end. Not in memory alone: HDF5 wants a path.
class File {
  public:
    explicit File(const Input &content);
    ~File();
    File(const File &) = delete;
    File &operator=(const File &) = delete;
    const std::string &path() const { return path_; }

  private:
    std::string path_;
};

// What nobody reads here: it would only take time.
constexpr std::uint64_t most_bytes = 16 << 20;

// How each kind is read. An Error is the right answer to most of them.
void read_images(tomo::io::FileType type, const Settings &settings, const Input &file);
void read_hdf5_scan(const Settings &settings, const Input &file);
void read_folder_scan(const Settings &settings, Input files);
void decode_chunks(Input chunk);

// Whether the file is as somebody wrote it. Of a damaged one there may be several truths: HDF5 looks for a
// chunk in another way than it lists them.
extern bool is_sound;

// Says that two ways to the same thing lead to different ones, and ends the process.
[[noreturn]] void disagree(const char *what);

// Whether HDF5 takes checksums as they are, or finds each right: to a fuzzer they are a wall otherwise.
void check_checksums(bool check);
// Whether the library never comes back from such a file: it walks through a heap of words ("global heap") for
// ever where a size in it is 0, and out of it where one is too large. Found often enough.
bool has_endless_heap(Input file);

} // namespace fuzz
