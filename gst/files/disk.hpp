// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

// Bytes of open files: reading, writing, reserving space, syncing to the disk. A function that fails leaves
// the reason in errno.
namespace tomo::io {

// Number of bytes read, which is smaller than `bytes` only at the end of the file; empty after a failure.
std::optional<std::uint64_t> read_bytes(int descriptor, std::uint64_t offset, void *to, std::uint64_t bytes);

// The same for `rows` stretches of `row_bytes` that follow each other in the file and stand `stride` bytes
// apart in memory.
std::optional<std::uint64_t> read_rows(int descriptor, std::uint64_t offset, char *to, std::size_t row_bytes,
                                       std::uint64_t rows, std::size_t stride);

// False if not all bytes were written.
bool write_bytes(int descriptor, std::uint64_t offset, const void *from, std::uint64_t bytes);

bool set_file_size(int descriptor, std::uint64_t bytes);
std::uint64_t file_size(int descriptor); // 0 if the system can't tell

// Makes sure that the bytes from `offset` on can be written, as far as the system can tell before. Throws if
// they can't; `name` is for the error.
void reserve_space(int descriptor, std::uint64_t offset, std::uint64_t bytes, const std::string &name);

// Whether this errno means that the disk is full or a limit is reached.
bool is_lack_of_room(int number);

// Waits until the written bytes of a file are on the disk, as far as its file system can tell. After a
// failure the contents on the disk are unknown.
bool sync_to_disk(int descriptor);
// The same for the names in the folder of `file`.
bool sync_folder_of(const std::string &file);

// Starts writing to the disk early, so that a later sync is short.
class EarlySync {
  public:
    void wrote(int descriptor, std::uint64_t bytes);

  private:
    std::uint64_t waiting_ = 0;
};

} // namespace tomo::io
