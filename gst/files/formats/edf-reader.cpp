// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// EDF, the ESRF data format: images one behind the other, each after a header of text in braces. Sources: P.
// Boesecke's "EDF/EHF" descriptions of the keys, and which spellings of types the program FabIO knows. Only
// headers are walked through; a third dimension is pages.

#include "edf-types.hpp"
#include <gst/files/byte-order.hpp>
#include <gst/files/stored-samples.hpp>
#include <gst/files/successive-images.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace tomo::io {

namespace {

// Keys in lower case.
using Header = std::map<std::string, std::string>;

std::string lower(const std::string &mixed) {
    std::string all = mixed;
    std::transform(all.begin(), all.end(), all.begin(), g_ascii_tolower);
    return all;
}

std::string stripped(const std::string &padded) {
    constexpr char blanks[] = " \t\r\n\v\f"; // and zeros, which some programs fill with
    const std::string all(blanks, sizeof blanks);
    const auto first = padded.find_first_not_of(all);
    return first == std::string::npos ? "" : padded.substr(first, padded.find_last_not_of(all) - first + 1);
}

class EdfReader final : public SuccessiveImages {
  public:
    EdfReader(const std::string &path, const RowRegion &rows) : SuccessiveImages(path), rows_(rows) {
        if (!has_page(0))
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s' holds no image", path.c_str()));
        rows_.rows_of(blocks_[0].height, where(0));
    }

    ArrayInfo info(std::size_t page) override {
        const auto &block = block_of(page);
        return ArrayInfo(block.type.format, block.width, rows_.rows_of(block.height, where(page)));
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        check_destination(info(page), bytes, where(page));
        const auto &block = block_of(page);
        read_stored_rows(file_, block.offset + (page - block.first_page) * block.plane_bytes, block.type,
                         block.width, block.height, rows_, destination, where(page));
    }

  private:
    struct Block {
        std::size_t first_page = 0;
        std::uint64_t offset = 0; // of the first plane
        std::uint64_t plane_bytes = 0;
        unsigned width = 0, height = 0;
        StoredType type;
    };

    std::string where(std::size_t page) const {
        return text("'%s', page %" G_GSIZE_FORMAT, file_.path().c_str(), page);
    }

    [[noreturn]] void fail(const std::string &what) const {
        throw Error(GST_STREAM_ERROR_DECODE, where(pages_) + ": " + what);
    }

    const Block &block_of(std::size_t page) {
        if (!has_page(page))
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + text(": there are only %" G_GSIZE_FORMAT " pages", pages_));
        const auto behind = std::upper_bound(
            blocks_.begin(), blocks_.end(), page,
            [](std::size_t wanted, const Block &block) { return wanted < block.first_page; });
        return *(behind - 1);
    }

    // The header at next_, which moves to the byte behind it. Empty where nothing but blanks is left.
    Header read_header() {
        constexpr std::uint64_t step = 4096, longest = 4 << 20;
        std::string said;
        std::size_t open = std::string::npos, close = std::string::npos, end = 0;
        while (close == std::string::npos) {
            const auto from = next_ + said.size();
            const auto bytes = std::min(step, file_.size() - from);
            if (bytes == 0 || said.size() > longest)
                break;
            const auto looked = said.size() < 3 ? 0 : said.size() - 3; // an end may lie on the border
            said.resize(said.size() + bytes);
            file_.read_at(from, &said[from - next_], bytes, "a header");
            if (open == std::string::npos) {
                open = said.find('{');
                if (!stripped(said.substr(0, open)).empty())
                    fail(pages_ ? "no header follows the image before; the file is damaged"
                                : "this is not an EDF file: it does not begin with '{'");
                if (open == std::string::npos)
                    continue;
            }
            for (auto brace = said.find('}', std::max(looked, open)); brace != std::string::npos;
                 brace = said.find('}', brace + 1)) {
                end = brace + 1;
                end += end < said.size() && said[end] == '\r';
                if (end < said.size() && said[end++] == '\n') {
                    close = brace;
                    break;
                }
            }
        }
        if (open == std::string::npos) {
            next_ = file_.size();
            return {};
        }
        if (close == std::string::npos)
            fail("its header does not end; the file is truncated or damaged");
        next_ += end;

        Header header;
        for (std::size_t begin = open + 1; begin < close;) {
            const auto stop = std::min(said.find(';', begin), close);
            const auto line = said.substr(begin, stop - begin);
            if (const auto equal = line.find('='); equal != std::string::npos)
                header[lower(stripped(line.substr(0, equal)))] = stripped(line.substr(equal + 1));
            begin = stop + 1;
        }
        header.try_emplace("{}", "");
        return header;
    }

    // A number of a header; false where it is not there.
    bool number(const Header &header, const char *key, std::uint64_t &value) const {
        const auto entry = header.find(key);
        if (entry == header.end())
            return false;
        guint64 parsed;
        if (!g_ascii_string_to_unsigned(entry->second.c_str(), 10, 0, G_MAXUINT64, &parsed, nullptr))
            fail(text("its header has %s = '%.40s', which is no count", key, entry->second.c_str()));
        value = parsed;
        return true;
    }

    bool is_swapped(const Header &header) const {
        const auto entry = header.find("byteorder");
        if (entry == header.end())
            return false; // as FabIO has it: of the host
        const auto order = lower(entry->second);
        if (order != "lowbytefirst" && order != "highbytefirst")
            fail(text("its header has ByteOrder = '%.40s'; it must be LowByteFirst or HighByteFirst",
                      entry->second.c_str()));
        return (order == "lowbytefirst") != host_is_little_endian;
    }

    void check_plain(const Header &header) const {
        const auto entry = header.find("compression");
        if (entry == header.end())
            return;
        const auto method = lower(entry->second);
        if (!method.empty() && method != "none" && method != "uncompressed" && method != "nospecificvalue")
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where(pages_) + text(": its data are compressed (%.40s); convert the file first",
                                             entry->second.c_str()));
    }

    std::size_t found() const override { return pages_; }

    void follow() override {
        const auto header = read_header();
        if (header.empty())
            return;
        std::uint64_t width = 0, height = 1, planes = 1, stated = 0;
        const bool has_size = number(header, "edf_binarysize", stated) || number(header, "size", stated);
        if (!number(header, "dim_1", width)) {
            if (!header.count("edf_dataformatversion"))
                fail("its header has no Dim_1; the file is damaged, or this is not an EDF file");
            skip(stated); // says things about all images
            return;
        }
        number(header, "dim_2", height);
        number(header, "dim_3", planes);
        check_plain(header);

        Block block;
        const auto type = header.find("datatype");
        if (type == header.end())
            fail("its header has no DataType; the file is damaged");
        const auto stored = edf_stored_type(type->second, is_swapped(header));
        if (!stored)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where(pages_) +
                            text(": samples are of the type '%.40s'; supported are integers of 8 to "
                                 "64 and floats of 32 and 64 bits; convert the file first",
                                 type->second.c_str()));
        block.type = *stored;
        std::uint64_t bytes;
        if (!width || !height || !planes || width > G_MAXUINT || height > G_MAXUINT ||
            !stored_size(block.type, width, height, block.plane_bytes) ||
            !multiply({block.plane_bytes, planes}, bytes) || bytes > file_.size() - next_)
            fail(text("an image of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                      " %s does not fit in the file of %" G_GUINT64_FORMAT
                      " bytes; it is truncated or damaged",
                      width, height, planes, type->second.c_str(), file_.size()));
        if (has_size && stated < bytes)
            fail(text("its header says that the data have %" G_GUINT64_FORMAT
                      " bytes, but an image of this size has %" G_GUINT64_FORMAT "; the file is damaged",
                      stated, bytes));
        block.width = static_cast<unsigned>(width);
        block.height = static_cast<unsigned>(height);
        block.offset = next_;
        block.first_page = pages_;
        skip(has_size ? stated : bytes);
        pages_ += planes;
        blocks_.push_back(block);
    }

    void skip(std::uint64_t bytes) { next_ += std::min(bytes, file_.size() - next_); }

    RowRegion rows_;
    std::vector<Block> blocks_;
    std::size_t pages_ = 0;
};

} // namespace

std::unique_ptr<ImageReader> open_edf_reader(const std::string &file, const RowRegion &rows) {
    return std::make_unique<EdfReader>(file, rows);
}

} // namespace tomo::io
