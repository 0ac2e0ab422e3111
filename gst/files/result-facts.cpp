// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "result-facts.hpp"
#include "file-list.hpp"
#include "input-file.hpp"
#include <gst/files/memory/images.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace tomo::io {

namespace {

using Sum = std::unique_ptr<GChecksum, decltype(&g_checksum_free)>;

void add(const Sum &sum, const InputFile &file, std::uint64_t from, std::uint64_t to) {
    std::vector<unsigned char> block(std::min<std::uint64_t>(to - from, 4 << 20));
    while (from < to) {
        const auto now = std::min<std::uint64_t>(block.size(), to - from);
        file.read_at(from, block.data(), now, "data for the checksum");
        g_checksum_update(sum.get(), block.data(), static_cast<gssize>(now));
        from += now;
    }
}

// Those that a reader would find; of a folder all, also in the folders inside.
std::vector<std::string> files_of(const std::string &path) {
    namespace fs = std::filesystem;
    std::vector<std::string> files;
    std::error_code error;
    if (fs::is_directory(path, error)) {
        for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
             entry.increment(error))
            if (entry->is_regular_file(error))
                files.push_back(entry->path().string());
        if (error)
            throw system_error("read the folder", path, error.value(), GST_RESOURCE_ERROR_READ);
        std::sort(files.begin(), files.end());
        return files;
    }
    ReadOptions any; // raw files count, whatever their layout
    any.raw.width = any.raw.height = 1;
    any.raw.format = GST_TOMO_FORMAT_UINT8;
    for (const auto &location : list_files(path, any, {0, 1, NameOrder::Name}))
        files.push_back(split_location(location).file);
    return files;
}

} // namespace

InputFacts digest_input(const std::string &path, DigestOf what) {
    constexpr std::uint64_t end_bytes = 64 << 10;
    InputFacts facts;
    facts.path = path;
    if (what == DigestOf::Nothing || names_memory(path))
        return facts;
    facts.method = what == DigestOf::All
                       ? "SHA-256 of name, size in decimal and content of each file"
                       : "SHA-256 of name, size in decimal, first and last 64 KiB of each file";
    const Sum sum(g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
    for (const auto &name : files_of(path)) {
        const InputFile file(name);
        const auto head = std::filesystem::path(file.path()).filename().string() + "\n" +
                          std::to_string(file.size()) + "\n";
        g_checksum_update(sum.get(), reinterpret_cast<const guchar *>(head.data()),
                          static_cast<gssize>(head.size()));
        const auto first = what == DigestOf::All ? file.size() : std::min(end_bytes, file.size());
        add(sum, file, 0, first);
        add(sum, file, std::max(first, file.size() - std::min(end_bytes, file.size())), file.size());
        facts.files++;
        facts.bytes += file.size();
    }
    facts.digest = g_checksum_get_string(sum.get());
    return facts;
}

} // namespace tomo::io
