// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// The bytes of a journal; docs/journal-format.md describes them.
namespace tomo::io {

constexpr std::uint32_t journal_version = 1;
constexpr std::uint64_t journal_page_bytes = 4096;

// Pieces of an HDF5 file by their addresses, which are multiples of their size.
using JournalPage = std::array<unsigned char, journal_page_bytes>;
using JournalPages = std::map<std::uint64_t, JournalPage>;

std::string journal_name(const std::string &file);

// The journal that makes these pages part of a file of `file_size` bytes.
std::vector<unsigned char> encode_journal(const JournalPages &pages, std::uint64_t file_size);

// Empty if the bytes are not a whole journal, or belong to a file of another size: such a journal was never
// used. Throws if a newer gst-tomo wrote it; `name` and `file` are for the error.
std::optional<JournalPages> decode_journal(const std::vector<unsigned char> &journal, std::uint64_t file_size,
                                           const std::string &name, const std::string &file);

} // namespace tomo::io
