// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "images.hpp"

#include <gst/files/image-reader.hpp>

#include <cstring>

namespace tomo::io {

namespace {

class MemoryReader final : public ImageReader {
  public:
    MemoryReader(const std::string &location, const RowRegion &rows)
        : images_(MemoryImages::named(location)), rows_(rows) {
        info(0); // throws if there are no such rows
    }

    bool has_page(std::size_t page) override { return page < pages(); }
    std::size_t pages() override { return images_->info().depth; }

    ArrayInfo info(std::size_t) override {
        const auto &all = images_->info();
        return ArrayInfo(all.format, all.width, rows_.rows_of(all.height, "'" + images_->location() + "'"));
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        const auto wanted = info(page);
        check_destination(wanted, bytes, images_->location());
        copy(page, rows_, 0, wanted, destination, wanted.width * wanted.sample_size());
    }

    void read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride) override {
        copy(page, part.within(rows_).rows, part.first_column, part.of(info(page), images_->location()),
             destination, row_stride);
    }

  private:
    void copy(std::size_t page, const RowRegion &rows, unsigned first_column, const ArrayInfo &wanted,
              void *destination, std::size_t row_stride) const {
        if (page >= images_->info().depth)
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("'%s' has no image %zu", images_->location().c_str(), page));
        const std::size_t sample = wanted.sample_size(), bytes = wanted.width * sample;
        auto *to = static_cast<char *>(destination);
        for (unsigned y = 0; y < wanted.height; y++, to += row_stride)
            std::memcpy(to,
                        images_->row(page, rows.first + std::size_t{y} * rows.step) + first_column * sample,
                        bytes);
    }

    const std::shared_ptr<const MemoryImages> images_;
    const RowRegion rows_;
};

} // namespace

std::unique_ptr<ImageReader> open_memory_reader(const std::string &location, const RowRegion &rows) {
    return std::make_unique<MemoryReader>(location, rows);
}

} // namespace tomo::io
