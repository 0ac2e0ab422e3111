// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "disk.hpp"
#include "output-names.hpp"

#include <cstdint>
#include <string>

namespace tomo::io {

class OutputFile {
  public:
    enum class Begin {
        Empty,
        AsCopy,  // with the contents of the target, if it exists
        AsItWas, // with the contents of NAME.partial, else of the target, which is copied at the first write
    };

    // With `fsync`, a file is on the disk before it gets its name.
    OutputFile(const std::string &path, Begin begin, bool fsync);

    const std::string &target() const { return target_; }
    bool is_target() const { return is_target_; } // the target is open, because nothing was written yet
    std::string partial() const { return partial_name(target_); }
    // Size of the file when it was opened.
    std::uint64_t initial_size() const { return initial_size_; }

    // Whether the file holds these bytes.
    bool holds(std::uint64_t offset, const void *data, std::uint64_t bytes) const;
    // False if the file ends before.
    bool read_at(std::uint64_t offset, void *data, std::uint64_t bytes) const;
    void write_at(std::uint64_t offset, const void *data, std::uint64_t bytes);

    void complete(std::uint64_t size); // cuts the file to `size` and closes it: it is whole, but still named
                                       // NAME.partial
    void publish();                    // gives the file its final name
    void commit(std::uint64_t size) {
        complete(size);
        publish();
    }
    // Closes the file and keeps its first `size` bytes under the name that is returned: NAME.partial, or
    // NAME.damaged if the disk may lack some of them.
    std::string keep(std::uint64_t size);
    bool is_damaged() const { return is_damaged_; }
    void discard() noexcept; // close, remove NAME.partial

  private:
    void copy_target();
    void begin_copy();

    std::string target_;
    FileDescriptor descriptor_; // of NAME.partial, or of the target as long as nothing was written
    FileDescriptor lock_;       // of a whole NAME.partial, until it has its name
    const bool fsync_;
    bool is_target_ = false;
    bool is_damaged_ = false; // syncing failed
    std::uint64_t initial_size_ = 0;
    EarlySync early_sync_;
};

} // namespace tomo::io
