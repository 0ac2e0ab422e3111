// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

// Bytes of open files: getting them, writing them, having room for them, knowing them on the disk. What fails
// leaves its reason in errno.
namespace tomo::io {

// How many bytes were read, which are fewer only where the file ends. Nothing where reading failed.
std::optional<std::uint64_t> read_bytes(int descriptor, std::uint64_t offset, void *to, std::uint64_t bytes);

// False where not all were written.
bool write_bytes(int descriptor, std::uint64_t offset, const void *from, std::uint64_t bytes);

bool set_file_size(int descriptor, std::uint64_t bytes);
std::uint64_t file_size(int descriptor); // 0 where the system doesn't tell

// Makes sure that the bytes from `offset` on can be written, as far as system and file system let one know
// before. Throws where they can't; `name` is for the error.
void reserve_space(int descriptor, std::uint64_t offset, std::uint64_t bytes, const std::string &name);

// Whether errno says that there is none left, or not as much as is allowed.
bool is_lack_of_room(int number);

// Waits until what was written to a file is on the disk, as far as its file system has a way to say so. Where
// that fails, nobody knows what is there.
bool sync_to_disk(int descriptor);
// The same for the names in the folder where `file` is.
bool sync_folder_of(const std::string &file);

// Sends what is written on its way to the disk before somebody waits for it.
class EarlySync {
  public:
    void wrote(int descriptor, std::uint64_t bytes);

  private:
    std::uint64_t waiting_ = 0;
};

} // namespace tomo::io
