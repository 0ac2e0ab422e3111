// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Arrays of numpy.save(): one image (rows, columns) or several (images, rows, columns), in either order of
// the axes. More axes are accepted before these where their extent is 1.

#include "npy-header.hpp"

#include <algorithm>
#include <cstring>

namespace tomo::io {

namespace {

class NpyReader final : public ImageReader {
  public:
    NpyReader(const std::string &path, const RowRegion &rows) : file_(path), header_(file_), rows_(rows) {
        auto shape = header_.shape;
        while (shape.size() > 3 && shape[0] == 1)
            shape.erase(shape.begin());
        std::string said;
        for (const auto extent : header_.shape)
            said += (said.empty() ? "" : " x ") + std::to_string(extent);
        if (shape.size() < 2 || shape.size() > 3)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s' has %" G_GSIZE_FORMAT
                             " dimension%s (%s); images need two (rows, columns) or "
                             "three (images, rows, columns)",
                             path.c_str(), shape.size(), shape.size() == 1 ? "" : "s", said.c_str()));
        if (shape.size() == 2)
            shape.insert(shape.begin(), 1);
        if (std::find(shape.begin(), shape.end(), 0u) != shape.end())
            throw NotYet(GST_STREAM_ERROR_FORMAT,
                         text("'%s' holds no image (%s)", path.c_str(), said.c_str()));
        std::uint64_t bytes;
        if (shape[1] > G_MAXINT || shape[2] > G_MAXINT ||
            !stored_size(header_.type, shape[2], shape[1], image_bytes_) ||
            !multiply({image_bytes_, shape[0]}, bytes) || bytes > file_.size() - header_.offset)
            throw Error(
                GST_RESOURCE_ERROR_READ,
                text("'%s' is truncated or damaged: its header tells of %s samples of %u bits, but behind "
                     "it are %" G_GUINT64_FORMAT " bytes",
                     path.c_str(), said.c_str(), header_.type.bits(), file_.size() - header_.offset));
        pages_ = shape[0];
        height_ = static_cast<unsigned>(shape[1]);
        width_ = static_cast<unsigned>(shape[2]);
        rows_.rows_of(height_, where(0));
    }

    bool has_page(std::size_t page) override { return page < pages_; }
    std::size_t pages() override { return pages_; }

    ArrayInfo info(std::size_t page) override {
        return ArrayInfo(header_.type.format, width_, rows_.rows_of(height_, where(page)));
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        check_destination(info(page), bytes, where(page));
        if (page >= pages_)
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + text(": there are only %" G_GUINT64_FORMAT " pages", pages_));
        if (header_.fortran_order)
            gather(page, static_cast<char *>(destination));
        else
            read_stored_rows(file_, header_.offset + page * image_bytes_, header_.type, width_, height_,
                             rows_, destination, where(page));
    }

  private:
    std::string where(std::size_t page) const {
        return text("'%s', page %" G_GSIZE_FORMAT, file_.path().c_str(), page);
    }

    // With the first axis as the fastest, an image is spread over the whole file: its columns are runs of all
    // rows of all images, which are read as rows of so many samples.
    void gather(std::size_t page, char *destination) {
        constexpr std::uint64_t good = 8 << 20;
        const std::uint64_t column = pages_ * height_; // samples
        const std::size_t size = gst_tomo_format_get_size(header_.type.format);
        const auto wanted = rows_.rows_of(height_, where(page));
        const auto together =
            static_cast<unsigned>(std::clamp<std::uint64_t>(good / (column * size), 1, width_));
        const auto run = static_cast<unsigned>(std::min<std::uint64_t>(column, good / size));
        std::vector<char> samples(std::size_t{together} * run * size);
        for (unsigned x = 0; x < width_; x += together)
            for (std::uint64_t first = 0; first < column; first += run) {
                const auto count = static_cast<unsigned>(std::min<std::uint64_t>(run, column - first));
                const auto columns = std::min(together, width_ - x);
                std::uint64_t before = 0;
                stored_size(header_.type, column * x + first, 1, before);
                read_stored_rows(file_, header_.offset + before, header_.type, count, columns, {},
                                 samples.data(), where(page));
                for (unsigned c = 0; c < columns; c++)
                    for (unsigned i = 0; i < wanted; i++) {
                        const auto at = page + pages_ * (rows_.first + std::uint64_t{i} * rows_.step);
                        if (at < first || at - first >= count)
                            continue;
                        std::memcpy(destination + (std::size_t{i} * width_ + x + c) * size,
                                    samples.data() + (std::size_t{c} * count + (at - first)) * size, size);
                    }
            }
    }

    InputFile file_;
    NpyHeader header_;
    RowRegion rows_;
    std::uint64_t image_bytes_ = 0, pages_ = 0;
    unsigned width_ = 0, height_ = 0;
};

} // namespace

std::unique_ptr<ImageReader> open_npy_reader(const std::string &file, const RowRegion &rows) {
    return std::make_unique<NpyReader>(file, rows);
}

} // namespace tomo::io
