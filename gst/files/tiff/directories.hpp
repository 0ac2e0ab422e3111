// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/input-file.hpp>

#include <unordered_set>
#include <vector>

namespace tomo::io {

// Byte order and width of the offsets of a TIFF file: what its first bytes say. Source: TIFF 6.0, section 2,
// and Adobe's BigTIFF design note.
struct TiffFlavour {
    bool big = true;      // 64 bit offsets
    bool swapped = false; // not the byte order of the host

    unsigned offset_size() const { return big ? 8 : 4; }
    unsigned header_size() const { return big ? 16 : 8; }
    unsigned count_size() const { return big ? 8 : 2; } // of the number of entries of a directory
    unsigned entry_size() const { return big ? 20 : 12; }
    unsigned first_link() const {
        return header_size() - offset_size();
    } // where the first directory's offset stands
};

// The list of image directories of a TIFF file, one for each page. It is followed link by link, as far as
// asked for, so that a file of many pages opens at once. Previews of an image and masks of its transparent
// parts (TIFF 6.0, tags NewSubfileType and SubfileType) are no pages.
class TiffDirectories {
  public:
    explicit TiffDirectories(const InputFile &file);

    const TiffFlavour &flavour() const { return flavour_; }

    bool has(std::size_t page);
    std::uint64_t offset(std::size_t page) { return has(page) ? offsets_[page] : 0; }
    std::size_t count();

    // Directories that are no pages, as far as the list was followed.
    std::size_t left_out() const { return seen_.size() - offsets_.size(); }

    // Where the offset of a directory behind the last one is to be written.
    std::uint64_t last_link();

  private:
    void follow_link();
    bool is_page(const unsigned char *entries, std::size_t count) const;

    const InputFile &file_;
    TiffFlavour flavour_;
    std::vector<std::uint64_t> offsets_;
    std::unordered_set<std::uint64_t> seen_;
    std::uint64_t link_ = 0; // place of the next directory's offset
    bool complete_ = false;
};

} // namespace tomo::io
