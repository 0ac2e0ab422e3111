// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "directories.hpp"
#include <gst/files/byte-order.hpp>
#include <gst/files/file-format.hpp>

#include <algorithm>
#include <limits>

namespace tomo::io {

TiffDirectories::TiffDirectories(const InputFile &file) : file_(file) {
    unsigned char head[16] = {};
    file.read_at(0, head, 8, "the header of a TIFF file");
    const bool little = head[0] == 'I' && head[1] == 'I';
    const bool big_endian = head[0] == 'M' && head[1] == 'M';
    flavour_.swapped = little != host_is_little_endian;
    const auto version = load<std::uint16_t>(head + 2, flavour_.swapped);
    flavour_.big = version == 43;
    if (!(little || big_endian) || (version != 42 && version != 43))
        throw Error(GST_STREAM_ERROR_WRONG_TYPE,
                    text("'%s' is not a TIFF file: it does not begin as one", file.path().c_str()));
    if (flavour_.big) {
        file.read_at(8, head + 8, 8, "the header of a BigTIFF file");
        if (load<std::uint16_t>(head + 4, flavour_.swapped) != 8)
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s' is damaged: its BigTIFF header is wrong", file.path().c_str()));
    }
    link_ = flavour_.first_link();
}

// By the first entries of its directory, which are sorted by their tags.
bool TiffDirectories::is_page(const unsigned char *entries, std::size_t count) const {
    constexpr std::uint16_t new_subfile_type = 254, subfile_type = 255, short_integer = 3;
    constexpr std::uint32_t preview = 1, mask = 4, old_preview = 2;
    for (std::size_t i = 0; i < count; i++) {
        const auto *entry = entries + i * flavour_.entry_size();
        const auto *value = entry + flavour_.entry_size() - flavour_.offset_size();
        const auto tag = load<std::uint16_t>(entry, flavour_.swapped);
        if (tag != new_subfile_type && tag != subfile_type)
            continue;
        const auto number = load<std::uint16_t>(entry + 2, flavour_.swapped) == short_integer
                                ? load<std::uint16_t>(value, flavour_.swapped)
                                : load<std::uint32_t>(value, flavour_.swapped);
        if (tag == new_subfile_type ? number & (preview | mask) : number == old_preview)
            return false;
    }
    return true;
}

void TiffDirectories::follow_link() {
    const auto page = text("the directory of page %" G_GSIZE_FORMAT, offsets_.size());
    unsigned char number[8];

    file_.read_at(link_, number, flavour_.offset_size(), page);
    const auto offset = flavour_.big ? load<std::uint64_t>(number, flavour_.swapped)
                                     : load<std::uint32_t>(number, flavour_.swapped);
    if (offset == 0) {
        complete_ = true;
        return;
    }
    if (seen_.count(offset))
        throw Error(GST_STREAM_ERROR_DECODE, text("'%s' is damaged: %s is that of an earlier page",
                                                  file_.path().c_str(), page.c_str()));

    file_.read_at(offset, number, flavour_.count_size(), page);
    const auto entries = flavour_.big ? load<std::uint64_t>(number, flavour_.swapped)
                                      : load<std::uint16_t>(number, flavour_.swapped);
    // The offset lies inside the file and the entries must as well, so that nothing below overflows.
    if (entries > file_.size() / flavour_.entry_size())
        throw Error(GST_RESOURCE_ERROR_READ, text("'%s' is truncated or damaged: %s does not fit in the file",
                                                  file_.path().c_str(), page.c_str()));
    const auto link = offset + flavour_.count_size() + entries * flavour_.entry_size();
    file_.read_at(link, number, flavour_.offset_size(), "the end of " + page);
    const auto looked_at = std::min<std::uint64_t>(entries, 4);
    unsigned char first[4 * 20];
    file_.read_at(offset + flavour_.count_size(), first, looked_at * flavour_.entry_size(), page);
    link_ = link;
    seen_.insert(offset);
    if (is_page(first, looked_at))
        offsets_.push_back(offset);
}

bool TiffDirectories::has(std::size_t page) {
    while (!complete_ && offsets_.size() <= page)
        follow_link();
    return page < offsets_.size();
}

std::size_t TiffDirectories::count() {
    has(std::numeric_limits<std::size_t>::max());
    return offsets_.size();
}

std::uint64_t TiffDirectories::last_link() {
    count();
    return link_;
}

} // namespace tomo::io
