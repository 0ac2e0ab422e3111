// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Raw files: nothing but samples; what they are is told by the user.

#include <gst/files/stored-samples.hpp>

#include <algorithm>

namespace tomo::io {

namespace {

class RawReader final : public ImageReader {
  public:
    RawReader(const std::string &path, const RawLayout &layout, const RowRegion &rows)
        : file_(path), layout_(layout), rows_(rows) {
        if (!layout.is_complete())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s': a raw file does not tell the size and type of its images; set raw-width "
                             "(now %u), raw-height (now %u) and raw-bitdepth or raw-format (now %s)",
                             path.c_str(), layout.width, layout.height,
                             layout.format == GST_TOMO_FORMAT_UNKNOWN ? "unset" : "set"));
        if (layout.packed12) {
            type_ = stored_as(StoredType::Form::Packed12, false);
            type_.packing = layout.packing;
        } else {
            type_ = stored_as(layout.format, layout.swapped);
        }
        std::uint64_t image_bytes, with_offsets;
        if (!stored_size(type_, layout.width, layout.height, image_bytes) ||
            __builtin_add_overflow(layout.pre_offset, image_bytes, &with_offsets) ||
            __builtin_add_overflow(with_offsets, layout.post_offset, &frame_bytes_))
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s': an image of %u x %u samples with its offsets is too large to be counted",
                             path.c_str(), layout.width, layout.height));
        // The bytes after the last image may be missing.
        const auto bytes = file_.size() - std::min(layout.header, file_.size());
        pages_ = bytes / frame_bytes_;
        const auto rest = bytes % frame_bytes_;
        if (rest >= with_offsets)
            pages_++;
        else if (rest > 0 || pages_ == 0)
            throw Error(
                GST_RESOURCE_ERROR_READ,
                text("'%s' has %" G_GUINT64_FORMAT " bytes%s, which is not a whole number of images of "
                     "%u x %u %s%s (%" G_GUINT64_FORMAT
                     " bytes each with the offsets): raw-width, raw-height, the type or an offset is "
                     "wrong, or the file is truncated%s",
                     path.c_str(), bytes, layout.header ? " behind the header" : "", layout.width,
                     layout.height, gst_tomo_format_to_string(layout.format),
                     layout.packed12 ? " of 12 bits" : "", frame_bytes_,
                     pages_ && !layout.header
                         ? text("; if it begins with a header, set raw-header=%" G_GUINT64_FORMAT, rest)
                               .c_str()
                         : ""));
        rows.rows_of(layout.height, where(0));
    }

    bool has_page(std::size_t page) override { return page < pages_; }
    std::size_t pages() override { return pages_; }

    ArrayInfo info(std::size_t page) override {
        return ArrayInfo(layout_.format, layout_.width, rows_.rows_of(layout_.height, where(page)));
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        const auto wanted = info(page);
        check_destination(wanted, bytes, where(page));
        if (page >= pages_)
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + text(": there are only %" G_GUINT64_FORMAT " pages", pages_));
        read_stored_rows(file_, layout_.header + page * frame_bytes_ + layout_.pre_offset, type_,
                         layout_.width, layout_.height, rows_, destination, where(page));
    }

  private:
    std::string where(std::size_t page) const {
        return text("'%s', page %" G_GSIZE_FORMAT, file_.path().c_str(), page);
    }

    InputFile file_;
    RawLayout layout_;
    RowRegion rows_;
    StoredType type_;
    std::uint64_t frame_bytes_ = 0; // image and what is skipped around it
    std::uint64_t pages_ = 0;
};

} // namespace

std::unique_ptr<ImageReader> open_raw_reader(const std::string &file, const RawLayout &layout,
                                             const RowRegion &rows) {
    return std::make_unique<RawReader>(file, layout, rows);
}

} // namespace tomo::io
