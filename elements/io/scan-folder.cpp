// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans of image files, told apart by the words in the names of folders and files.
#include "file-list.hpp"
#include "scan-layout.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

enum class Kind { Projections, Darks, Flats, FlatsAfter };

bool is_one_of(const std::string &word, std::initializer_list<const char *> words) {
    return std::any_of(words.begin(), words.end(), [&](const char *w) { return word == w; });
}

// By words of letters: "flat_post-0001" has flat and post.
Kind kind_of_name(const std::string &name) {
    bool dark = false, flat = false, after = false;
    std::string word;
    for (std::size_t i = 0; i <= name.size(); i++) {
        if (i < name.size() && g_ascii_isalpha(name[i])) {
            word += g_ascii_tolower(name[i]);
            continue;
        }
        dark = dark || is_one_of(word, {"dark", "darks", "di", "df", "bias"});
        flat = flat || is_one_of(word, {"flat", "flats", "io", "white", "whites", "ref", "refs", "ff", "ob",
                                        "bright", "brights"});
        after = after || is_one_of(word, {"after", "post", "end"});
        word.clear();
    }
    if (dark)
        return Kind::Darks;
    return !flat ? Kind::Projections : after ? Kind::FlatsAfter : Kind::Flats;
}

// As people count: "2" before "10".
bool natural_less(const std::string &a, const std::string &b) {
    std::size_t i = 0, j = 0;
    const auto digits = [](const std::string &s, std::size_t from) {
        auto end = from;
        while (end < s.size() && g_ascii_isdigit(s[end]))
            end++;
        return end;
    };
    while (i < a.size() && j < b.size()) {
        if (!g_ascii_isdigit(a[i]) || !g_ascii_isdigit(b[j])) {
            if (a[i] != b[j])
                return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
            i++, j++;
            continue;
        }
        const auto end_a = digits(a, i), end_b = digits(b, j);
        const auto strip = [](const std::string &s, std::size_t from, std::size_t end) {
            while (from + 1 < end && s[from] == '0')
                from++;
            return s.substr(from, end - from);
        };
        const auto x = strip(a, i, end_a), y = strip(b, j, end_b);
        if (x.size() != y.size())
            return x.size() < y.size();
        if (x != y)
            return x < y;
        i = end_a, j = end_b;
    }
    if (a.size() - i != b.size() - j)
        return a.size() - i < b.size() - j;
    return a < b;
}

using FilesByKind = std::map<Kind, std::vector<std::string>>;

void sort_in(FilesByKind &found, const std::vector<std::string> &files) {
    for (const auto &file : files)
        found[kind_of_name(fs::path(file).filename().string())].push_back(file);
}

// Files that a reader takes; nothing where there is none.
std::vector<std::string> images_in(const std::string &folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto type = type_of_suffix(entry->path().string());
        if (type != FileType::Automatic && type != FileType::Hdf5 && type != FileType::Raw &&
            entry->is_regular_file(error))
            return list_files(folder);
    }
    return {};
}

FilesByKind files_of_folder(const std::string &folder) {
    FilesByKind found;
    sort_in(found, images_in(folder));
    std::vector<std::string> others;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (!entry->is_directory(error))
            continue;
        const auto files = images_in(entry->path().string());
        const auto kind = kind_of_name(entry->path().filename().string());
        if (files.empty())
            continue;
        if (kind == Kind::Projections)
            others.push_back(entry->path().string());
        else
            found[kind].insert(found[kind].end(), files.begin(), files.end());
    }
    if (error)
        throw system_error("read the folder", folder, error.value(), GST_RESOURCE_ERROR_OPEN_READ);
    if (others.size() + (found[Kind::Projections].empty() ? 0 : 1) > 1) {
        std::sort(others.begin(), others.end());
        std::string list;
        for (const auto &other : others)
            list += (list.empty() ? "'" : ", '") + other + "'";
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s' may hold projections in several places: %s%s; name one of them as location, and where "
                 "darks and flats are",
                 folder.c_str(), found[Kind::Projections].empty() ? "" : "in itself, ", list.c_str()));
    }
    if (!others.empty())
        found[Kind::Projections] = images_in(others[0]);
    return found;
}

// A folder is a scan of image files; each HDF5 file in one is a scan itself.
void refuse_folder_of_hdf5(const std::string &folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (type_of_suffix(entry->path().string()) == FileType::Hdf5)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' holds HDF5 files and no folder of images; name the file that is the scan, such "
                     "as '%s'",
                     folder.c_str(), entry->path().c_str()));
}

ScanImages images_of(std::vector<std::string> files) {
    std::sort(files.begin(), files.end(), natural_less);
    ScanImages found;
    // A series has one page per file, which saves opening all of them; a few files may have more.
    constexpr std::size_t few = 16;
    found.one_page_each = files.size() > few;
    for (const auto &file : files)
        found.add_file(file, found.one_page_each ? 1 : open_reader(file)->pages());
    return found;
}

} // namespace

ScanLayout find_folder_scan(const std::string &location) {
    FilesByKind found;
    std::error_code error;
    if (fs::is_directory(location, error))
        found = files_of_folder(location);
    else if (fs::is_regular_file(location, error)) // named itself, whatever its name says
        found[Kind::Projections] = {location};
    else
        sort_in(found, list_files(location));
    if (found[Kind::Projections].empty() && fs::is_directory(location, error))
        refuse_folder_of_hdf5(location);
    if (found[Kind::Projections].empty())
        throw NotYet(
            GST_RESOURCE_ERROR_NOT_FOUND,
            text(
                "'%s' holds no projections: no image file (%s) in it or in a folder below, but for darks and "
                "flats",
                location.c_str(), supported_suffixes().c_str()));
    ScanLayout scan;
    scan.name = "'" + location + "'";
    scan.projections = images_of(found[Kind::Projections]);
    scan.darks = images_of(found[Kind::Darks]);
    scan.flats = images_of(found[Kind::Flats]);
    scan.flats_after = images_of(found[Kind::FlatsAfter]);
    if (scan.flats.empty())
        std::swap(scan.flats, scan.flats_after);
    return scan;
}

} // namespace tomo::io
