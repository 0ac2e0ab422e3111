// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// EDF: each image behind a header of 512 bytes, in the byte order of the host.

#include "edf-types.hpp"
#include <gst/files/byte-order.hpp>
#include <gst/files/file-writer.hpp>
#include <gst/files/image-reader.hpp>

#include <cmath>

namespace tomo::io {

namespace {

constexpr std::size_t header_bytes = 512;
// The first header of a file that holds the whole stream says at its end whether all of it came; that is
// known at the end only, so there is always as much room for it.
constexpr std::size_t mark_bytes = 64, mark_at = header_bytes - 2 - mark_bytes;

std::string mark_of(const StreamLength &length) {
    std::string mark;
    for (const auto &[key, value] : completeness_words(length))
        mark += key + " = " + value + " ;\n";
    mark.resize(mark_bytes, ' ');
    return mark;
}

std::string header_of(const ArrayInfo &plane, std::uint64_t number, const std::optional<ValueRange> &grey) {
    auto header = text(
        "{\nHeaderID = EH:%06" G_GUINT64_FORMAT ":000000:000000 ;\nImage = %" G_GUINT64_FORMAT
        " ;\nByteOrder = %s ;\nDataType = %s ;\nDim_1 = %u ;\nDim_2 = %u ;\nSize = %" G_GUINT64_FORMAT " ;\n",
        number, number, host_is_little_endian ? "LowByteFirst" : "HighByteFirst", edf_word(plane.format),
        plane.width, plane.height, plane.size());
    for (const auto &[key, value] : grey_words(grey))
        header += key + " = " + value + " ;\n";
    header.resize(header_bytes - 2, ' ');
    return header + "}\n";
}

class EdfFile final : public SingleFile {
  public:
    EdfFile(const std::string &path, Existing existing, const WriteOptions &options)
        : SingleFile(path, existing, options), common_range_(common_range(options)),
          has_range_per_page_(has_range_per_page(options)), length_(options.length) {
        if (existing != Existing::Continue || file_.initial_size() == 0)
            return;
        try {
            before_ = open_edf_reader(file_.target(), {})->pages();
            end_ = file_.initial_size();
        } catch (...) {
            file_.discard();
            throw;
        }
    }

    std::uint64_t resume(const ArrayInfo &plane) override {
        const auto bytes = header_bytes + plane.size();
        for (; file_.initial_size() - end_ >= bytes; end_ += bytes, images_++) {
            const auto header =
                header_of(plane, images_ + 1, has_range_per_page_ ? range_there() : common_range_);
            if (!holds_header(end_, header))
                throw Error(
                    GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("'%s' can't be resumed: its image %" G_GUINT64_FORMAT
                         " is not as tomowrite would write one of %s; remove it, or write to another file",
                         file_.target().c_str(), images_ + 1, plane.describe().c_str()));
        }
        return images_;
    }

    bool holds(std::uint64_t image, const Page &page) override {
        const auto bytes = page.info.size(), start = image * (header_bytes + bytes);
        const auto header = header_of(page.info, image + 1, page.grey);
        return holds_header(start, header) && file_.holds(start + header_bytes, page.samples, bytes);
    }

    // With the mark, which is that of the first image.
    void complete() override {
        if (length_ && before_ == 0 && images_ > 0) {
            const auto mark = mark_of(length_());
            if (!file_.holds(mark_at, mark.data(), mark.size()))
                file_.write_at(mark_at, mark.data(), mark.size());
        }
        SingleFile::complete();
    }

    void write(const Page &page) override {
        const auto bytes = page.info.size();
        const auto header = header_of(page.info, before_ + images_ + 1, page.grey);
        file_.write_at(end_, header.data(), header.size());
        file_.write_at(end_ + header.size(), page.samples, bytes);
        end_ += header.size() + bytes;
        images_++;
    }

  private:
    std::uint64_t worth_keeping() const override { return images_ ? before_ + images_ : 0; }

    // Apart from the mark.
    bool holds_header(std::uint64_t offset, const std::string &header) const {
        const std::size_t behind = offset == 0 ? mark_at + mark_bytes : mark_at;
        return file_.holds(offset, header.data(), mark_at) &&
               file_.holds(offset + behind, header.data() + behind, header_bytes - behind);
    }

    // That in the header behind what is known.
    std::optional<ValueRange> range_there() const {
        std::string header(header_bytes, '\0');
        if (!file_.read_at(end_, header.data(), header.size()))
            return {};
        const auto number = [&](const std::string &key) {
            const auto at = header.find(key + " = ");
            return at == std::string::npos ? std::nan("")
                                           : g_ascii_strtod(&header[at + key.size() + 3], nullptr);
        };
        const ValueRange range{number("grey_minimum"), number("grey_maximum")};
        return range.is_empty() ? std::nullopt : std::optional(range);
    }

    const std::optional<ValueRange> common_range_;
    const bool has_range_per_page_;
    const std::function<StreamLength()> length_;

    std::uint64_t images_ = 0;
    std::uint64_t before_ = 0; // images of a file that is continued
};

} // namespace

std::unique_ptr<SingleFile> create_edf_file(const std::string &file, Existing existing,
                                            const WriteOptions &options) {
    return std::make_unique<EdfFile>(file, existing, options);
}

} // namespace tomo::io
