// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "journal-format.hpp"
#include <gst/files/byte-order.hpp>
#include <gst/tomo/support/error.hpp>

#include <cstring>

namespace tomo::io {

namespace {

constexpr char magic[8] = {'T', 'O', 'M', 'O', 'J', 'R', 'N', 'L'};

// Bytes from the beginning. The first two fields are the same in all versions.
constexpr std::size_t version_at = 8, page_bytes_at = 12, file_size_at = 16, pages_at = 24, head_bytes = 32;
constexpr std::size_t entry_bytes = 8 + journal_page_bytes; // a page behind its address
constexpr std::size_t checksum_bytes = 8;

// The numbers of a journal are little endian.
template <class Number>
void put(std::vector<unsigned char> &journal, std::size_t at, Number number) {
    store(journal.data() + at, number, !host_is_little_endian);
}
template <class Number>
Number get(const std::vector<unsigned char> &journal, std::size_t at) {
    return load<Number>(journal.data() + at, !host_is_little_endian);
}

// FNV-1a, of 64 bits.
std::uint64_t checksum(const std::vector<unsigned char> &journal, std::size_t bytes) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (std::size_t i = 0; i < bytes; i++)
        sum = (sum ^ journal[i]) * 0x100000001b3;
    return sum;
}

} // namespace

std::string journal_name(const std::string &file) { return file + ".journal"; }

std::vector<unsigned char> encode_journal(const JournalPages &pages, std::uint64_t file_size) {
    std::vector<unsigned char> journal(head_bytes + pages.size() * entry_bytes + checksum_bytes);
    std::memcpy(journal.data(), magic, sizeof magic);
    put(journal, version_at, journal_version);
    put(journal, page_bytes_at, static_cast<std::uint32_t>(journal_page_bytes));
    put(journal, file_size_at, file_size);
    put(journal, pages_at, std::uint64_t{pages.size()});
    auto at = head_bytes;
    for (const auto &[address, page] : pages) {
        put(journal, at, address);
        std::memcpy(journal.data() + at + 8, page.data(), page.size());
        at += entry_bytes;
    }
    put(journal, at, checksum(journal, at));
    return journal;
}

std::optional<JournalPages> decode_journal(const std::vector<unsigned char> &journal, std::uint64_t file_size,
                                           const std::string &name, const std::string &file) {
    if (journal.size() < page_bytes_at || std::memcmp(journal.data(), magic, sizeof magic) != 0)
        return {};
    if (const auto version = get<std::uint32_t>(journal, version_at); version > journal_version)
        throw Error(
            GST_RESOURCE_ERROR_OPEN_READ,
            text("'%s' was left by a process that was killed, and must be completed from '%s' before it "
                 "can be used; that is of version %u, and this gst-tomo knows up to version %u: open "
                 "the file once with the newer gst-tomo that wrote it",
                 file.c_str(), name.c_str(), version, journal_version));
    if (journal.size() < head_bytes + checksum_bytes)
        return {};
    const auto end = journal.size() - checksum_bytes;
    const auto count = get<std::uint64_t>(journal, pages_at);
    if (get<std::uint32_t>(journal, version_at) != journal_version ||
        get<std::uint32_t>(journal, page_bytes_at) != journal_page_bytes ||
        get<std::uint64_t>(journal, file_size_at) != file_size || (end - head_bytes) % entry_bytes != 0 ||
        (end - head_bytes) / entry_bytes != count ||
        get<std::uint64_t>(journal, end) != checksum(journal, end))
        return {};
    JournalPages pages;
    for (auto at = head_bytes; at < end; at += entry_bytes)
        std::memcpy(pages[get<std::uint64_t>(journal, at)].data(), journal.data() + at + 8,
                    journal_page_bytes);
    return pages;
}

} // namespace tomo::io
