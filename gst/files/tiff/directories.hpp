// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/input-file.hpp>

#include <unordered_set>
#include <vector>

namespace tomo::io {

// Byte order and width of the offsets of a TIFF file, from its first bytes. Source: TIFF 6.0, section 2, and
// Adobe's BigTIFF design note.
struct TiffFlavour {
    bool big = true;      // 64 bit offsets
    bool swapped = false; // not the byte order of the host

    unsigned offset_size() const { return big ? 8 : 4; }
    unsigned header_size() const { return big ? 16 : 8; }
    unsigned count_size() const { return big ? 8 : 2; } // of the number of entries of a directory
    unsigned entry_size() const { return big ? 20 : 12; }
    unsigned first_link() const {
        return header_size() - offset_size();
    } // place of the first directory's offset
};

// The list of image directories of a TIFF file, one for each page. The class follows it link by link, no
// further than necessary, so a file of many pages opens at once. Previews of an image and masks of its
// transparent parts (TIFF 6.0, tags NewSubfileType and SubfileType) are not pages.
class TiffDirectories {
  public:
    explicit TiffDirectories(const InputFile &file);

    const TiffFlavour &flavour() const { return flavour_; }

    bool has(std::size_t page);
    std::uint64_t offset(std::size_t page) { return has(page) ? offsets_[page] : 0; }
    std::size_t count();

    // Number of directories that are not pages, in the part of the list followed so far.
    std::size_t left_out() const { return seen_.size() - offsets_.size(); }

    // Place to write the offset of a directory that follows the last one.
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
