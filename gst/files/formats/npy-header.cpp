// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "npy-header.hpp"
#include <gst/files/byte-order.hpp>

#include <cstring>
#include <map>

namespace tomo::io {

namespace {

constexpr char magic[] = "\x93NUMPY";
constexpr std::size_t magic_size = sizeof magic - 1;
constexpr char host_order = host_is_little_endian ? '<' : '>';

// The dictionary of a header, a literal of Python with three known keys.
class Literal {
  public:
    Literal(const std::string &file, const std::string &said) : file_(file), said_(said) {}

    // The value behind a key, as it is written.
    std::string value(const std::string &key) const {
        auto at = said_.find("'" + key + "'");
        if (at == std::string::npos)
            at = said_.find("\"" + key + "\"");
        at = at == std::string::npos ? at : said_.find(':', at);
        at = at == std::string::npos ? at : said_.find_first_not_of(" \t", at + 1);
        if (at == std::string::npos)
            fail();
        const char first = said_[at];
        const auto end = first == '\'' || first == '"' ? said_.find(first, at + 1)
                         : first == '('                ? said_.find(')', at)
                         : first == '['                ? said_.rfind(']')
                                                       : said_.find_first_of(",}", at);
        if (end == std::string::npos || end < at)
            fail();
        return said_.substr(at, end - at + (first == '\'' || first == '"' || first == '(' || first == '['));
    }

    [[noreturn]] void fail() const {
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s' is damaged: its header is '%.100s'", file_.c_str(), said_.c_str()));
    }

  private:
    const std::string &file_, &said_;
};

std::vector<std::uint64_t> shape_of(const Literal &header) {
    std::vector<std::uint64_t> shape;
    const auto tuple = header.value("shape");
    if (tuple.empty() || tuple[0] != '(')
        header.fail();
    for (std::size_t at = 1; at < tuple.size() && tuple[at] != ')';) {
        if (tuple[at] == ' ' || tuple[at] == ',') {
            at++;
            continue;
        }
        char *end = nullptr;
        if (!g_ascii_isdigit(tuple[at]))
            header.fail();
        shape.push_back(g_ascii_strtoull(tuple.c_str() + at, &end, 10));
        at = static_cast<std::size_t>(end - tuple.c_str());
        at += tuple[at] == 'L'; // of Python 2
    }
    return shape;
}

const std::map<std::string, StoredType> &stored_types() {
    using Form = StoredType::Form;
    static const std::map<std::string, StoredType> types = {{"b1", stored_as(GST_TOMO_FORMAT_UINT8)},
                                                            {"i1", stored_as(Form::Int8)},
                                                            {"u1", stored_as(GST_TOMO_FORMAT_UINT8)},
                                                            {"i2", stored_as(GST_TOMO_FORMAT_INT16)},
                                                            {"u2", stored_as(GST_TOMO_FORMAT_UINT16)},
                                                            {"i4", stored_as(GST_TOMO_FORMAT_INT32)},
                                                            {"u4", stored_as(GST_TOMO_FORMAT_UINT32)},
                                                            {"i8", stored_as(Form::Int64)},
                                                            {"u8", stored_as(Form::UInt64)},
                                                            {"f2", stored_as(GST_TOMO_FORMAT_FLOAT16)},
                                                            {"f4", stored_as(GST_TOMO_FORMAT_FLOAT32)},
                                                            {"f8", stored_as(GST_TOMO_FORMAT_FLOAT64)},
                                                            {"c8", stored_as(GST_TOMO_FORMAT_COMPLEX64)}};
    return types;
}

} // namespace

NpyHeader::NpyHeader(const InputFile &file) {
    unsigned char start[12] = {};
    if (file.size() >= magic_size + 4)
        file.read_at(0, start, magic_size + 4, "the header");
    if (std::memcmp(start, magic, magic_size) != 0)
        throw Error(
            GST_STREAM_ERROR_WRONG_TYPE,
            text("'%s' is not a file of numpy.save(): it does not begin as one", file.path().c_str()));
    const unsigned version = start[magic_size];
    if (version < 1 || version > 3)
        throw Error(GST_STREAM_ERROR_FORMAT, text("'%s' has version %u of the format; 1, 2 and 3 are known",
                                                  file.path().c_str(), version));
    constexpr bool swapped = !host_is_little_endian;
    std::uint64_t length = load<std::uint16_t>(start + magic_size + 2, swapped);
    offset = magic_size + 4;
    if (version > 1) {
        file.read_at(offset, start + offset, 2, "the header");
        length = load<std::uint32_t>(start + magic_size + 2, swapped);
        offset += 2;
    }
    constexpr std::uint64_t longest = 1 << 20;
    std::string said(length <= longest ? length : 0, '\0');
    const Literal header(file.path(), said);
    if (said.empty())
        header.fail();
    file.read_at(offset, said.data(), length, "the header");
    offset += length;

    said_type = header.value("descr");
    const bool is_word = said_type.size() > 2 && (said_type[0] == '\'' || said_type[0] == '"');
    if (is_word)
        said_type = said_type.substr(1, said_type.size() - 2);
    const auto known =
        is_word && said_type.size() > 1 ? stored_types().find(said_type.substr(1)) : stored_types().end();
    if (known == stored_types().end() || !std::strchr("<>=|", said_type[0]))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("'%s' holds samples of the type '%.60s'%s; images are integers of 8 to 64 bits, "
                         "booleans, floats of 16 to 64 bits or complex64: convert them by astype()",
                         file.path().c_str(), said_type.c_str(),
                         is_word && said_type.find('O') != std::string::npos ? " (objects of Python)" : ""));
    type = known->second;
    type.swapped = (said_type[0] == '<' || said_type[0] == '>') && said_type[0] != host_order;
    const auto order = header.value("fortran_order");
    if (order.compare(0, 4, "True") != 0 && order.compare(0, 5, "False") != 0)
        header.fail();
    fortran_order = order[0] == 'T';
    shape = shape_of(header);
}

std::string npy_header(GstTomoFormat format, const std::vector<std::uint64_t> &shape, std::uint64_t bytes) {
    std::string name;
    for (const auto &[key, type] : stored_types())
        if (type.format == format && type.form == StoredType::Form::AsFormat && key != "b1")
            name = (type.bits() == 8 ? '|' : host_order) + key;
    std::string extents;
    for (const auto extent : shape)
        extents += std::to_string(extent) + ", ";
    std::string header = magic + std::string("\1\0", 2) + std::string(2, '\0') + "{'descr': '" + name +
                         "', 'fortran_order': False, 'shape': (" + extents + "), }";
    const auto length = bytes - magic_size - 4;
    if (header.size() + 1 > bytes || length > G_MAXUINT16)
        throw Error(
            GST_RESOURCE_ERROR_FAILED,
            text("a header of %" G_GUINT64_FORMAT " bytes has no room for what the file will hold", bytes));
    header.resize(bytes, ' ');
    header[bytes - 1] = '\n';
    header[magic_size + 2] = static_cast<char>(length & 0xff);
    header[magic_size + 3] = static_cast<char>(length >> 8);
    return header;
}

} // namespace tomo::io
