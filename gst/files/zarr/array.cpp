// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "array.hpp"

#include <gst/files/byte-order.hpp>
#include <gst/files/disk.hpp>
#include <gst/files/file-descriptor.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <limits>

namespace tomo::io {

namespace {

struct NamedType {
    const char *name; // without the byte order
    GstTomoFormat format;
};
constexpr NamedType types[] = {
    {"u1", GST_TOMO_FORMAT_UINT8},   {"u2", GST_TOMO_FORMAT_UINT16},  {"u4", GST_TOMO_FORMAT_UINT32},
    {"i2", GST_TOMO_FORMAT_INT16},   {"i4", GST_TOMO_FORMAT_INT32},   {"f2", GST_TOMO_FORMAT_FLOAT16},
    {"f4", GST_TOMO_FORMAT_FLOAT32}, {"f8", GST_TOMO_FORMAT_FLOAT64}, {"c8", GST_TOMO_FORMAT_COMPLEX64},
};

// A complex sample is two units.
std::size_t unit_size(GstTomoFormat format) {
    const auto size = gst_tomo_format_get_size(format);
    return format == GST_TOMO_FORMAT_COMPLEX64 ? size / 2 : size;
}

bool is_there(const std::string &file) {
    std::error_code ignored;
    return std::filesystem::exists(file, ignored);
}

std::vector<std::uint64_t> sizes_of(const Json &json, const char *key) {
    std::vector<std::uint64_t> sizes;
    if (const auto *list = json.find(key))
        for (const auto &item : list->items())
            sizes.push_back(item.is_integer() ? g_ascii_strtoull(item.text().c_str(), nullptr, 10) : 0);
    return sizes;
}

bool is_absent(const Json *value) {
    return !value || value->is(Json::Kind::null) || (value->is(Json::Kind::list) && value->items().empty());
}

} // namespace

std::string zarr_description(const ZarrGrid &grid) {
    const auto list = [](const ZarrSizes &sizes) {
        Json json = Json::list();
        for (const auto size : sizes)
            json.add(Json::integer(guint64{size}));
        return json;
    };
    const auto type = std::find_if(std::begin(types), std::end(types),
                                   [&](const NamedType &each) { return each.format == grid.format; });
    const char *order = unit_size(grid.format) == 1 ? "|" : host_is_little_endian ? "<" : ">";
    Json json = Json::object();
    json.set("zarr_format", Json::integer(gint64{2}));
    json.set("shape", list(grid.shape));
    json.set("chunks", list(grid.chunk));
    json.set("dtype", Json::text(std::string(order) + type->name));
    json.set("compressor", Json());
    json.set("filters", Json());
    json.set("fill_value", Json::integer(gint64{0}));
    json.set("order", Json::text("C"));
    json.set("dimension_separator", Json::text("/"));
    return json.written(true);
}

ZarrArray::ZarrArray(const std::string &folder) : folder_(folder) {
    const auto json =
        Json::parse(read_text_file(folder + "/.zarray", "description of a Zarr array"), folder + "/.zarray");
    if (const auto *version = json.find("zarr_format"); !version || version->text() != "2")
        refuse("it is not of version 2 of Zarr");
    for (const auto *coding : {json.find("compressor"), json.find("filters")})
        if (!is_absent(coding)) {
            const auto &first = coding->is(Json::Kind::list) ? coding->items().front() : *coding;
            refuse(
                text("its chunks are coded by '%s', which can't be undone here: store it without compressor "
                     "and filters",
                     first.text_of("id").c_str()));
        }
    if (json.text_of("order") != "C")
        refuse("its chunks are in the order of Fortran: store it in that of C");
    auto shape = sizes_of(json, "shape"), chunk = sizes_of(json, "chunks");
    if (const auto &word = json.text_of("dimension_separator"); !word.empty())
        separator_ = word[0];
    while (shape.size() > 3 && shape.size() == chunk.size() && shape[0] == 1) {
        shape.erase(shape.begin());
        chunk.erase(chunk.begin());
        outer_ += std::string("0") + separator_;
    }
    if (shape.size() != chunk.size() || shape.size() != 3)
        refuse(text(
            "it has %zu axes; images need three (images, rows, columns), with others of one sample before them",
            shape.size()));
    std::copy(shape.begin(), shape.end(), grid_.shape.begin());
    std::copy(chunk.begin(), chunk.end(), grid_.chunk.begin());
    find_type(json.text_of("dtype"));
    std::uint64_t bytes;
    const auto is_no_size = [](std::uint64_t size) { return size == 0 || size > G_MAXINT; };
    if (std::any_of(chunk.begin(), chunk.end(), is_no_size) ||
        std::count(shape.begin() + 1, shape.end(), 0u) || shape[1] > G_MAXINT || shape[2] > G_MAXINT ||
        !multiply({chunk[0], chunk[1], chunk[2], grid_.sample_size()}, bytes) || bytes > G_MAXINT64)
        refuse("its shape or its chunks are no sizes of images");
    find_fill(json.find("fill_value"));
}

ZarrArray::ZarrArray(const std::string &folder, const ZarrGrid &grid)
    : folder_(folder), grid_(grid), separator_('/'), fill_(grid.sample_size(), 0) {}

void ZarrArray::refuse(const std::string &why) const {
    throw Error(GST_STREAM_ERROR_FORMAT, text("cannot read '%s': %s", folder_.c_str(), why.c_str()));
}

void ZarrArray::find_type(const std::string &name) {
    for (const auto &[type, format] : types)
        if (name.size() > 1 && name.substr(1) == type && std::strchr("<>|", name[0])) {
            grid_.format = format;
            is_swapped_ = name[0] != '|' && (name[0] == '<') != host_is_little_endian;
            return;
        }
    refuse(text("its samples are of type '%s', which no stream has", name.c_str()));
}

// As the samples are in this machine.
void ZarrArray::find_fill(const Json *value) {
    fill_.assign(grid_.sample_size(), 0);
    if (is_absent(value) || g_ascii_strtod(value->text().c_str(), nullptr) == 0.0)
        return;
    const auto put = [&](auto number) { store(fill_.data(), number); };
    const double number = g_ascii_strtod(value->text().c_str(), nullptr); // "NaN" and "Infinity" as well
    switch (grid_.format) {
    case GST_TOMO_FORMAT_UINT8:
        return put(static_cast<std::uint8_t>(number));
    case GST_TOMO_FORMAT_UINT16:
        return put(static_cast<std::uint16_t>(number));
    case GST_TOMO_FORMAT_UINT32:
        return put(static_cast<std::uint32_t>(number));
    case GST_TOMO_FORMAT_INT16:
        return put(static_cast<std::int16_t>(number));
    case GST_TOMO_FORMAT_INT32:
        return put(static_cast<std::int32_t>(number));
    case GST_TOMO_FORMAT_FLOAT32:
        return put(static_cast<float>(number));
    case GST_TOMO_FORMAT_FLOAT64:
        return put(number);
    default:
        refuse(text("its fill value is %s: store it with 0", value->text().c_str()));
    }
}

// Rows of the plane of one image; those of the chunk are counted. False where there is no such chunk.
bool ZarrArray::read_chunk(std::uint64_t image, std::uint64_t chunk_row, std::uint64_t chunk_column,
                           unsigned from_row, unsigned to_row, std::vector<unsigned char> &samples) const {
    const auto name = folder_ + "/" + outer_ + std::to_string(image / grid_.chunk[0]) + separator_ +
                      std::to_string(chunk_row) + separator_ + std::to_string(chunk_column);
    const FileDescriptor file(open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file && errno == ENOENT)
        return false;
    if (file && file_size(file.get()) != grid_.chunk_bytes())
        throw Error(GST_RESOURCE_ERROR_READ,
                    text("'%s' is truncated or damaged: a chunk takes %" G_GUINT64_FORMAT
                         " bytes, and it has %" G_GUINT64_FORMAT,
                         name.c_str(), grid_.chunk_bytes(), file_size(file.get())));
    const auto row_bytes = grid_.chunk[2] * grid_.sample_size();
    samples.resize((to_row - from_row) * row_bytes);
    const auto got =
        file ? read_bytes(file.get(), image % grid_.chunk[0] * grid_.plane_bytes() + from_row * row_bytes,
                          samples.data(), samples.size())
             : std::nullopt;
    if (!got || *got < samples.size())
        throw system_error("read", name, got ? EIO : errno, GST_RESOURCE_ERROR_READ);
    if (is_swapped_)
        swap_bytes(samples.data(), samples.size() / unit_size(grid_.format), unit_size(grid_.format));
    return true;
}

void ZarrArray::read(std::uint64_t image, const Part &part, void *destination, std::size_t row_stride) const {
    const auto wanted = part.of(this->image(), "'" + folder_ + "'");
    if (image >= grid_.shape[0])
        throw Error(GST_RESOURCE_ERROR_READ,
                    text("'%s' has no image %" G_GUINT64_FORMAT, folder_.c_str(), image));
    const auto size = grid_.sample_size();
    const std::uint64_t rows = grid_.chunk[1], columns = grid_.chunk[2], step = part.rows.step,
                        end_column = std::uint64_t{part.first_column} + wanted.width;
    std::vector<unsigned char> samples;
    for (unsigned done = 0; done < wanted.height;) {
        const std::uint64_t first = part.rows.first + done * step, chunk_row = first / rows;
        const auto count = static_cast<unsigned>(
            std::min<std::uint64_t>(wanted.height - done, ((chunk_row + 1) * rows - 1 - first) / step + 1));
        const auto from = static_cast<unsigned>(first - chunk_row * rows),
                   to = static_cast<unsigned>(from + (count - 1) * step + 1);
        for (auto chunk = part.first_column / columns; chunk * columns < end_column; chunk++) {
            const bool is_there = read_chunk(image, chunk_row, chunk, from, to, samples);
            const auto begin = std::max<std::uint64_t>(part.first_column, chunk * columns),
                       end = std::min(end_column, (chunk + 1) * columns);
            for (unsigned row = 0; row < count; row++) {
                auto *target = static_cast<unsigned char *>(destination) + (done + row) * row_stride +
                               (begin - part.first_column) * size;
                if (is_there)
                    std::memcpy(target,
                                samples.data() + (row * step * columns + begin - chunk * columns) * size,
                                (end - begin) * size);
                else
                    for (auto x = begin; x < end; x++, target += size)
                        std::memcpy(target, fill_.data(), size);
            }
        }
        done += count;
    }
}

std::string zarr_array_folder(const std::string &folder, const std::string &level) {
    const auto root = folder + level;
    if (is_there(root + "/.zarray"))
        return root;
    if (is_there(root + "/zarr.json"))
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("cannot read '%s': it is of version 3 of Zarr; store it in version 2", root.c_str()));
    if (is_there(root + "/.zattrs")) {
        const auto json =
            Json::parse(read_text_file(root + "/.zattrs", "attributes of a Zarr group"), root + "/.zattrs");
        const auto *images = json.find("multiscales");
        if (images && !images->items().empty())
            if (const auto *levels = images->items().front().find("datasets");
                levels && !levels->items().empty())
                return root + "/" + levels->items().front().text_of("path");
    }
    throw Error(
        GST_RESOURCE_ERROR_NOT_FOUND,
        text("'%s' is no array of Zarr (.zarray) and no image of OME-Zarr (multiscales in .zattrs); name "
             "an array in it behind a colon, as in '%s:/0'",
             root.c_str(), folder.c_str()));
}

namespace {

class ZarrReader final : public ImageReader {
  public:
    ZarrReader(const Location &location, const RowRegion &rows)
        : name_("'" + location.text() + "'"), array_(zarr_array_folder(location.file, location.dataset)),
          rows_(rows) {
        info(0); // throws if there are no such rows
    }

    bool has_page(std::size_t page) override { return page < pages(); }
    std::size_t pages() override { return array_.grid().shape[0]; }
    ArrayInfo info(std::size_t) override {
        const auto image = array_.image();
        return image.with_size(image.width, rows_.rows_of(image.height, name_));
    }

    std::uint64_t columns_per_chunk() override { return array_.grid().chunk[2]; }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        const auto wanted = info(page);
        check_destination(wanted, bytes, name_);
        array_.read(page, {rows_, 0, 0}, destination, wanted.width * wanted.sample_size());
    }

    void read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride) override {
        array_.read(page, part.within(rows_), destination, row_stride);
    }

  private:
    const std::string name_;
    const ZarrArray array_;
    const RowRegion rows_;
};

} // namespace

std::unique_ptr<ImageReader> open_zarr_reader(const Location &location, const RowRegion &rows) {
    return std::make_unique<ZarrReader>(location, rows);
}

} // namespace tomo::io
