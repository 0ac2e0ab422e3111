// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// TIFF and BigTIFF, not compressed, one sample per pixel, or three in colour. Written without libtiff: that
// links a directory into the file before it writes it, so that a full disk leaves a chain with a loose end.
// Here a page counts from the moment that its link is written, last of all, and the file is whole at any
// time. Source of the format: TIFF 6.0, sections 2 and 8, and Adobe's BigTIFF design note.

#ifdef HAVE_TIFF

#include "directories.hpp"
#include "new-directory.hpp"
#include <gst/files/byte-order.hpp>
#include <gst/files/file-writer.hpp>
#include <gst/files/output-file.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

namespace tomo::io {

namespace {

constexpr char software[] = "gst-tomo";
constexpr int longest_number = 24;               // characters of a double
constexpr std::uint64_t strip_bytes = 256 << 10; // a strip has at least one row and about so many bytes

constexpr std::uint16_t unsigned_integer = 1, signed_integer = 2, ieee_float = 3; // of SampleFormat

std::uint16_t sample_format(GstTomoFormat format) {
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
    case GST_TOMO_FORMAT_UINT16:
    case GST_TOMO_FORMAT_UINT32:
        return unsigned_integer;
    case GST_TOMO_FORMAT_INT16:
    case GST_TOMO_FORMAT_INT32:
        return signed_integer;
    case GST_TOMO_FORMAT_FLOAT16:
    case GST_TOMO_FORMAT_FLOAT32:
    case GST_TOMO_FORMAT_FLOAT64:
        return ieee_float;
    case GST_TOMO_FORMAT_COMPLEX64: // written as twice as many floats
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("TIFF has no samples of type %s", gst_tomo_format_to_string(format)));
}

class TiffFile final : public SingleFile {
  public:
    TiffFile(const std::string &path, Existing existing, const WriteOptions &options, bool is_large)
        : SingleFile(path, existing, options), common_range_(common_range(options)),
          has_range_per_page_(has_range_per_page(options)), length_(options.length) {
        try {
            bool big_tiff = options.big_tiff.value_or(is_large);
            unsigned char version = 0; // that of a file which an interrupted run began is as good
            if (existing == Existing::Resume && !options.big_tiff &&
                file_.read_at(host_is_little_endian ? 2 : 3, &version, 1))
                big_tiff = version == 43;
            resumes_ = existing == Existing::Resume &&
                       file_.initial_size() >= TiffFlavour{big_tiff, false}.header_size();
            if (existing == Existing::Continue && file_.initial_size() > 0)
                continue_file();
            else
                begin_file(big_tiff);
        } catch (...) {
            file_.discard();
            throw;
        }
    }

    bool has_room(const ArrayInfo &plane) const override {
        return flavour_.big || page_end(plane) <= classic_limit;
    }

    // Pages that are where this writer would have put them.
    std::uint64_t resume(const ArrayInfo &plane) override {
        for (;;) {
            const auto image = align(end_);
            const auto offset = align(image + plane.size());
            const auto range = range_there(plane, image, offset);
            const auto directory = describe(plane, image, offset, range);
            const auto linked = link_there();
            if (linked == 0)
                break;
            if (linked != offset || !holds_directory(directory, offset))
                throw Error(
                    GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("'%s' can't be resumed: its page %zu is not as tomowrite would write an image of "
                         "%s; remove it, or write to another file",
                         file_.target().c_str(), places_.size(), plane.describe().c_str()));
            places_.push_back(image);
            ranges_.push_back(range);
            link_ = directory.link();
            end_ = offset + directory.bytes().size();
            images_before_++;
        }
        return images_before_;
    }

    bool holds(std::uint64_t image, const Page &page) override {
        return ranges_.at(image) == page.grey &&
               file_.holds(places_.at(image), page.samples, page.info.size());
    }

    void write(const Page &page) override {
        const auto &plane = page.info;
        if (!has_room(plane))
            throw Error(
                GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                text("'%s': one more image of %s would pass the 4 GiB that a classic TIFF file can hold; set "
                     "tiff-bigtiff=true, or put a number such as %%05i in the file name",
                     file_.target().c_str(), plane.describe().c_str()));
        if (columns(plane) > std::numeric_limits<std::uint32_t>::max())
            throw Error(GST_STREAM_ERROR_FORMAT, text("'%s': an image of %s is too wide for TIFF",
                                                      file_.target().c_str(), plane.describe().c_str()));
        const auto image = align(end_);
        write_samples(image, plane, page.samples);
        const auto offset = align(image + plane.size());
        const auto directory = describe(plane, image, offset, page.grey);
        file_.write_at(offset, directory.bytes().data(), directory.bytes().size());

        set_link(offset);
        if (has_mark())
            mark_ = mark_place(directory);
        link_ = directory.link();
        end_ = offset + directory.bytes().size();
        images_++;
    }

    void complete() override {
        if (link_there() != 0)
            set_link(0); // a file that is resumed held more
        if (mark_ > 0) {
            const auto mark = mark_of(length_());
            if (!file_.holds(mark_, mark.data(), mark.size()))
                file_.write_at(mark_, mark.data(), mark.size());
        }
        SingleFile::complete();
    }

  private:
    std::uint64_t worth_keeping() const override {
        return images_ > 0 || resumes_ ? images_before_ + images_ : 0;
    }

    // A file that holds the whole stream says in its first page's description whether all of it came; that is
    // known at the end only, so there is always as much room for it.
    static constexpr std::size_t mark_bytes = 48;
    static std::string mark_of(const StreamLength &length) {
        std::string mark;
        for (const auto &[key, value] : completeness_words(length))
            mark += (mark.empty() ? "" : "\n") + key + "=" + value;
        mark.resize(mark_bytes, ' ');
        return mark;
    }
    bool has_mark() const { return length_ && images_before_ + images_ == 0; } // the page to come
    // In front of the zero that ends the description.
    static std::uint64_t mark_place(const NewTiffDirectory &directory) {
        return directory.place_of(ImageDescription) + directory.size_of(ImageDescription) - 1 - mark_bytes;
    }

    // Whether one that was read before stands there, apart from the link and the mark.
    bool holds_directory(const NewTiffDirectory &directory, std::uint64_t offset) {
        auto there = directory.bytes();
        if (!file_.read_at(offset, there.data(), there.size()))
            return false;
        const auto &own = directory.bytes();
        const auto leave_out = [&](std::uint64_t place, std::size_t bytes) {
            std::copy_n(&own[place - offset], bytes, &there[place - offset]);
        };
        leave_out(directory.link(), flavour_.offset_size());
        if (has_mark()) {
            mark_ = mark_place(directory);
            leave_out(mark_, mark_bytes);
        }
        return there == own;
    }

    static constexpr std::uint64_t classic_limit = std::numeric_limits<std::uint32_t>::max();

    static std::uint64_t align(std::uint64_t offset) { return (offset + 7) / 8 * 8; }

    // What stands where the next page's offset goes.
    std::uint64_t link_there() const {
        unsigned char link[8] = {};
        if (!file_.read_at(link_, link, flavour_.offset_size()))
            return 0;
        return flavour_.big ? load<std::uint64_t>(link, flavour_.swapped)
                            : load<std::uint32_t>(link, flavour_.swapped);
    }
    void set_link(std::uint64_t offset) {
        unsigned char link[8];
        if (flavour_.big)
            store(link, offset, flavour_.swapped);
        else
            store(link, static_cast<std::uint32_t>(offset), flavour_.swapped);
        file_.write_at(link_, link, flavour_.offset_size());
    }

    // Columns of the page: a complex sample is two floats.
    static std::uint64_t columns(const ArrayInfo &plane) {
        return plane.is_complex() ? std::uint64_t{2} * plane.width : plane.width;
    }
    static std::uint64_t rows_per_strip(const ArrayInfo &plane) {
        const auto row_bytes = std::uint64_t{plane.width} * plane.sample_size() * plane.depth;
        return std::clamp<std::uint64_t>(strip_bytes / row_bytes, 1, plane.height);
    }

    // End of the file with this page, at most.
    std::uint64_t page_end(const ArrayInfo &plane) const {
        constexpr std::uint64_t directory = 768;
        const auto strips = (plane.height - 1) / rows_per_strip(plane) + 1;
        return align(end_) + plane.size() + directory + strips * 2 * flavour_.offset_size();
    }

    void begin_file(bool big_tiff) {
        flavour_.big = big_tiff;
        std::vector<unsigned char> header(flavour_.header_size());
        header[0] = header[1] = host_is_little_endian ? 'I' : 'M';
        store<std::uint16_t>(header.data() + 2, big_tiff ? 43 : 42);
        if (big_tiff)
            store<std::uint16_t>(header.data() + 4, 8);
        if (!resumes_)
            file_.write_at(0, header.data(), header.size());
        else if (!file_.holds(0, header.data(), flavour_.first_link()))
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("'%s' can't be resumed: it does not begin as tomowrite begins it with these settings; "
                     "remove it, or write to another file",
                     file_.target().c_str()));
        link_ = flavour_.first_link();
        end_ = header.size();
    }

    // Byte order and kind stay as they are in a file that is continued.
    void continue_file() {
        const InputFile original(file_.target());
        TiffDirectories directories(original);
        flavour_ = directories.flavour();
        link_ = directories.last_link();
        images_before_ = directories.count();
        end_ = original.size();
    }

    void write_samples(std::uint64_t offset, const ArrayInfo &plane, const void *data) {
        const auto bytes = plane.size();
        const auto unit = plane.is_complex() ? sizeof(float) : plane.sample_size();
        if (!flavour_.swapped || unit == 1) {
            file_.write_at(offset, data, bytes);
            return;
        }
        const auto *from = static_cast<const unsigned char *>(data);
        std::vector<unsigned char> block(std::min<std::uint64_t>(bytes, 1 << 20));
        for (std::uint64_t done = 0; done < bytes; done += block.size()) {
            const auto now = std::min<std::uint64_t>(block.size(), bytes - done);
            std::copy_n(from + done, now, block.begin());
            swap_bytes(block.data(), now / unit, unit);
            file_.write_at(offset + done, block.data(), now);
        }
    }

    // That of a page that is there.
    std::optional<ValueRange> range_there(const ArrayInfo &plane, std::uint64_t image,
                                          std::uint64_t offset) const {
        if (!has_range_per_page_)
            return common_range_;
        const auto like = describe(plane, image, offset, ValueRange{0, 0});
        if (!file_.holds(offset, like.bytes().data(), flavour_.count_size()))
            return {}; // it has fewer tags
        const auto number = [&](TiffTag tag) {
            unsigned char bytes[sizeof(double)];
            return file_.read_at(like.place_of(tag), bytes, sizeof bytes)
                       ? std::bit_cast<double>(load<std::uint64_t>(bytes, flavour_.swapped))
                       : std::numeric_limits<double>::quiet_NaN();
        };
        const ValueRange range{number(SMinSampleValue), number(SMaxSampleValue)};
        return range.is_empty() ? std::nullopt : std::optional(range);
    }

    NewTiffDirectory describe(const ArrayInfo &plane, std::uint64_t image, std::uint64_t offset,
                              const std::optional<ValueRange> &grey) const {
        const auto format = plane.is_complex() ? GST_TOMO_FORMAT_FLOAT32 : plane.format;
        const auto rows = rows_per_strip(plane);
        const auto row_bytes = std::uint64_t{plane.width} * plane.sample_size() * plane.depth;
        const bool colour = plane.depth == 3;
        std::vector<std::uint64_t> offsets, counts;
        for (std::uint64_t row = 0; row < plane.height; row += rows) {
            offsets.push_back(image + row * row_bytes);
            counts.push_back(std::min<std::uint64_t>(rows, plane.height - row) * row_bytes);
        }
        const auto place = flavour_.big ? Long8 : Long;
        // Of one length, whatever the numbers.
        std::string description;
        for (const auto &[key, value] : grey_words(grey))
            description += text("%s=%-*s\n", key.c_str(), longest_number, value.c_str());
        if (has_mark())
            description += std::string(mark_bytes, ' ');
        NewTiffDirectory directory(flavour_, 12 + (grey ? 2 : 0) + (description.empty() ? 0 : 1), offset);
        directory.add(ImageWidth, Long, columns(plane));
        directory.add(ImageLength, Long, plane.height);
        directory.add(BitsPerSample, Short,
                      std::vector<std::uint64_t>(plane.depth, 8 * gst_tomo_format_get_size(format)));
        directory.add(Compression, Short, 1);              // none
        directory.add(Photometric, Short, colour ? 2 : 1); // else black is zero
        if (!description.empty())
            directory.add(ImageDescription, description.c_str(), description.size() + 1);
        directory.add(StripOffsets, place, offsets);
        directory.add(SamplesPerPixel, Short, plane.depth);
        directory.add(RowsPerStrip, Long, rows);
        directory.add(StripByteCounts, place, counts);
        directory.add(PlanarConfiguration, Short, 1); // contiguous
        directory.add(Software, software, sizeof software);
        directory.add(SampleFormat, Short, std::vector<std::uint64_t>(plane.depth, sample_format(format)));
        if (grey) {
            directory.add_real(SMinSampleValue, std::vector<double>(plane.depth, grey->minimum));
            directory.add_real(SMaxSampleValue, std::vector<double>(plane.depth, grey->maximum));
        }
        return directory;
    }

    const std::optional<ValueRange> common_range_;
    const bool has_range_per_page_;
    const std::function<StreamLength()> length_;
    std::uint64_t mark_ = 0; // where it says whether the stream is complete
    TiffFlavour flavour_;
    std::uint64_t link_ = 0;   // where the next page's offset goes
    std::uint64_t images_ = 0; // whole pages, besides those of a file that is continued
    std::uint64_t images_before_ = 0;
    bool resumes_ = false;
    std::vector<std::uint64_t> places_; // of the images of a file that is resumed
    std::vector<std::optional<ValueRange>> ranges_;
};

} // namespace

std::unique_ptr<SingleFile> create_tiff_file(const std::string &file, Existing existing,
                                             const WriteOptions &options, bool is_large) {
    return std::make_unique<TiffFile>(file, existing, options, is_large);
}

} // namespace tomo::io

#endif // HAVE_TIFF
