// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "streams.hpp"

#include <gst/files/byte-order.hpp>
#include <gst/files/input-file.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <mutex>

#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-infile.h>
#include <gsf/gsf-input-stdio.h>
#include <gsf/gsf-utils.h>

namespace tomo::io {

namespace {

constexpr std::size_t images_of_folder = 100, most_facts = 1 << 20;

GsfInput *child_of(GsfInput *folder, const std::string &name) {
    auto *infile = GSF_INFILE(folder);
    const int children = gsf_infile_num_children(infile);
    for (int i = 0; i < children; i++)
        if (const char *other = gsf_infile_name_by_index(infile, i);
            other && g_ascii_strcasecmp(other, name.c_str()) == 0)
            return gsf_infile_child_by_index(infile, i);
    return nullptr;
}

constexpr bool is_swapped = G_BYTE_ORDER == G_BIG_ENDIAN;

} // namespace

// libgsf meets damage with critical messages, and then fails: errors say the same here.
static void begin_libgsf() {
    gsf_init();
    g_log_set_handler(
        "libgsf:msole", static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING),
        [](const gchar *, GLogLevelFlags, const gchar *message, gpointer) { GST_DEBUG("%s", message); },
        nullptr);
}

void XradiaFile::Unref::operator()(GsfInput *input) const { g_object_unref(input); }

XradiaFile::XradiaFile(const std::string &path) : path_(path) {
    require_readable_file(path);
    static std::once_flag initialized;
    std::call_once(initialized, begin_libgsf);
    GError *raw = nullptr;
    const Stream bytes(gsf_input_stdio_new(path.c_str(), &raw));
    auto *file = bytes ? gsf_infile_msole_new(bytes.get(), &raw) : nullptr;
    const std::unique_ptr<GError, decltype(&g_error_free)> why(raw, g_error_free);
    if (!file)
        throw Error(GST_STREAM_ERROR_DECODE, text("'%s' is no compound file, as Zeiss .txrm and .xrm are: %s",
                                                  path.c_str(), why ? why->message : "it is damaged"));
    file_.reset(GSF_INPUT(file));
    const auto most = required("ImageInfo/NoOfImages"), width = required("ImageInfo/ImageWidth"),
               height = required("ImageInfo/ImageHeight");
    const auto taken = integer("ImageInfo/ImagesTaken");
    images_ = taken && *taken > 0 ? std::min(*most, *taken) : *most;
    if (*width == 0 || *height == 0 || *width > G_MAXINT16 * 4 || *height > G_MAXINT16 * 4 || images_ == 0)
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s' tells of %u images of %u x %u pixels: it is empty or damaged", path.c_str(),
                         *most, *width, *height));
    width_ = *width;
    height_ = *height;
}

XradiaFile::Stream XradiaFile::stream(const std::string &name) const {
    Stream folder;
    std::size_t begin = 0;
    for (;;) {
        const auto slash = name.find('/', begin);
        auto *in = folder ? folder.get() : file_.get();
        if (!GSF_IS_INFILE(in))
            return {};
        Stream child(child_of(in, name.substr(begin, slash - begin)));
        if (!child || slash == std::string::npos)
            return child;
        folder = std::move(child);
        begin = slash + 1;
    }
}

std::uint64_t XradiaFile::size(const Stream &stream) const {
    return static_cast<std::uint64_t>(std::max<gsf_off_t>(gsf_input_size(stream.get()), 0));
}

void XradiaFile::read(const Stream &stream, std::uint64_t offset, void *destination, std::size_t bytes,
                      const std::string &where) const {
    if (offset > size(stream) || bytes > size(stream) - offset ||
        gsf_input_seek(stream.get(), static_cast<gsf_off_t>(offset), G_SEEK_SET) ||
        !gsf_input_read(stream.get(), bytes, static_cast<guint8 *>(destination)))
        throw Error(GST_RESOURCE_ERROR_READ, where + " is truncated or damaged");
}

std::vector<double> XradiaFile::floats(const std::string &name) const {
    const auto found = stream(name);
    if (!found)
        return {};
    const auto bytes = size(found);
    if (bytes / sizeof(float) > most_facts)
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s': stream %s has %" G_GUINT64_FORMAT " bytes; it is damaged", path_.c_str(),
                         name.c_str(), bytes));
    std::vector<unsigned char> raw(bytes / sizeof(float) * sizeof(float));
    if (!raw.empty())
        read(found, 0, raw.data(), raw.size(), "'" + path_ + "', stream " + name);
    std::vector<double> values;
    for (std::size_t i = 0; i < raw.size(); i += sizeof(float))
        values.push_back(load<float>(&raw[i], is_swapped));
    return values;
}

std::optional<std::uint32_t> XradiaFile::integer(const std::string &name) const {
    const auto found = stream(name);
    if (!found || size(found) < sizeof(std::uint32_t))
        return {};
    unsigned char raw[sizeof(std::uint32_t)];
    read(found, 0, raw, sizeof raw, "'" + path_ + "', stream " + name);
    return load<std::uint32_t>(raw, is_swapped);
}

std::optional<std::uint32_t> XradiaFile::required(const std::string &name) const {
    const auto value = integer(name);
    if (!value)
        throw Error(
            GST_STREAM_ERROR_DECODE,
            text("'%s' is no file of a Zeiss microscope: it has no stream %s", path_.c_str(), name.c_str()));
    return value;
}

std::string XradiaFile::name_of_image(std::size_t page) {
    return text("ImageData%zu/Image%zu", page / images_of_folder + 1, page + 1);
}

namespace {

class XradiaReader final : public ImageReader {
  public:
    XradiaReader(const Location &location, const RowRegion &rows)
        : file_(location.file), is_reference_(!location.dataset.empty()), rows_(rows), width_(file_.width()),
          height_(file_.height()) {
        if (is_reference_ && g_ascii_strcasecmp(location.dataset.c_str(), xradia_reference) != 0)
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                        text("'%s' has images and %s; '%s' names none of them", location.file.c_str(),
                             xradia_reference, location.dataset.c_str()));
        if (is_reference_) {
            const auto width = file_.integer("ReferenceData/ImageInfo/ImageWidth"),
                       height = file_.integer("ReferenceData/ImageInfo/ImageHeight");
            if ((width && *width != width_) || (height && *height != height_))
                throw Error(GST_STREAM_ERROR_FORMAT,
                            text("'%s': the reference has %u x %u pixels, and images have %u x %u",
                                 location.file.c_str(), width.value_or(0), height.value_or(0), width_,
                                 height_));
        }
        format_ = format_of(0);
        rows_.rows_of(height_, where(0));
    }

    bool has_page(std::size_t page) override { return page < pages(); }
    std::size_t pages() override { return is_reference_ ? 1 : file_.images(); }

    ArrayInfo info(std::size_t page) override {
        return {format_, width_, rows_.rows_of(height_, where(page))};
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        check_destination(info(page), bytes, where(page));
        const auto size = info(page);
        read_rows(page, rows_, 0, width_, destination, size.width * size.sample_size());
    }

    void read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride) override {
        const auto wanted = part.of(info(page), where(page));
        read_rows(page, part.within(rows_).rows, part.first_column, wanted.width, destination, row_stride);
    }

  private:
    std::string where(std::size_t page) const {
        return is_reference_ ? "'" + file_.path() + "', the reference"
                             : text("'%s', image %zu", file_.path().c_str(), page);
    }

    const XradiaFile::Stream &stream_of(std::size_t page) {
        if (!has_page(page))
            throw Error(GST_RESOURCE_ERROR_READ, where(page) + text(": there are only %zu images", pages()));
        if (!stream_ || page != page_) {
            stream_ = file_.stream(is_reference_ ? "ReferenceData/Image" : XradiaFile::name_of_image(page));
            page_ = page;
        }
        if (!stream_)
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + " has no stream; the file is damaged, or still written");
        return stream_;
    }

    // As the file tells, else by the size of a stream.
    GstTomoFormat format_of(std::size_t page) {
        constexpr std::uint32_t of_bytes = 3, of_shorts = 5, of_floats = 10;
        const auto told = file_.integer(is_reference_ ? "ReferenceData/DataType" : "ImageInfo/DataType");
        const auto samples = std::uint64_t{width_} * height_, bytes = file_.size(stream_of(page));
        const auto type = told                   ? *told
                          : bytes == samples     ? of_bytes
                          : bytes == 2 * samples ? of_shorts
                                                 : of_floats;
        const auto format = type == of_bytes    ? GST_TOMO_FORMAT_UINT8
                            : type == of_shorts ? GST_TOMO_FORMAT_UINT16
                            : type == of_floats ? GST_TOMO_FORMAT_FLOAT32
                                                : GST_TOMO_FORMAT_UNKNOWN;
        if (format == GST_TOMO_FORMAT_UNKNOWN)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                where(page) +
                    text(" has samples of type %u; 3 (uint8), 5 (uint16) and 10 (float32) can be read",
                         type));
        return format;
    }

    void read_rows(std::size_t page, const RowRegion &rows, unsigned first, unsigned columns,
                   void *destination, std::size_t stride) {
        const auto &stream = stream_of(page);
        const std::size_t sample = gst_tomo_format_get_size(format_), row = width_ * sample;
        const unsigned count = rows.rows_of(height_, where(page));
        auto *to = static_cast<char *>(destination);
        const bool is_one_piece = rows.step == 1 && columns == width_ && stride == row;
        if (is_one_piece)
            file_.read(stream, rows.first * row, to, count * row, where(page));
        for (unsigned y = 0; y < (is_one_piece ? 0 : count); y++)
            file_.read(stream, (rows.first + std::uint64_t{y} * rows.step) * row + first * sample,
                       to + y * stride, columns * sample, where(page));
        if (is_swapped)
            for (unsigned y = 0; y < count; y++)
                swap_bytes(to + y * stride, columns, sample);
    }

    const XradiaFile file_;
    const bool is_reference_;
    const RowRegion rows_;
    const unsigned width_, height_;
    GstTomoFormat format_ = GST_TOMO_FORMAT_UNKNOWN;
    XradiaFile::Stream stream_; // of page_
    std::size_t page_ = 0;
};

} // namespace

std::unique_ptr<ImageReader> open_xradia_reader(const Location &location, const RowRegion &rows) {
    return std::make_unique<XradiaReader>(location, rows);
}

} // namespace tomo::io
