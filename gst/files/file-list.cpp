// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file-list.hpp"
#include <gst/files/memory/images.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <glob.h>
#include <memory>

namespace tomo::io {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void not_found(const std::string &message) {
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND, message);
}

bool is_pattern(const std::string &path) { return path.find_first_of("*?[") != std::string::npos; }

// Also a link that leads nowhere.
bool is_there(const std::string &path) {
    std::error_code ignored;
    return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

std::vector<std::string> matches_of(const std::string &pattern) {
    struct Expansion : glob_t {
        ~Expansion() { globfree(this); }
    } found = {};
    const int result = glob(pattern.c_str(), GLOB_NOSORT | GLOB_TILDE, nullptr, &found);
    if (result != 0 && result != GLOB_NOMATCH)
        throw Error(GST_RESOURCE_ERROR_OPEN_READ,
                    text("cannot look for '%s': %s", pattern.c_str(),
                         result == GLOB_NOSPACE ? "out of memory" : "a folder can't be read"));
    return std::vector<std::string>(found.gl_pathv, found.gl_pathv + found.gl_pathc);
}

// As a pattern that matches nothing else.
std::string quoted(const std::string &path) {
    std::string pattern;
    for (const char c : path) {
        if (std::string("*?[]\\~").find(c) != std::string::npos)
            pattern += '\\';
        pattern += c;
    }
    return pattern;
}

// Part by part, because one that exists is itself, whatever its characters would mean: "data[1]/*.tif".
std::vector<std::string> expand(const std::string &pattern) {
    std::vector<std::string> found(1);
    for (std::size_t begin = 0; begin < pattern.size();) {
        const auto slash = std::min(pattern.find('/', begin), pattern.size() - 1);
        const auto part = pattern.substr(begin, slash + 1 - begin); // with the slash behind it
        begin = slash + 1;
        std::vector<std::string> longer;
        for (const auto &folder : found) {
            const bool is_home = folder.empty() && part[0] == '~';
            if (part == "/" || (!is_home && is_there(folder + part))) {
                longer.push_back(folder + part);
                continue;
            }
            const auto matches = matches_of(quoted(folder) + part);
            longer.insert(longer.end(), matches.begin(), matches.end());
        }
        found = std::move(longer);
    }
    return found;
}

// Why a pattern matched nothing: the folder that it starts in may not exist.
[[noreturn]] void no_match(const std::string &pattern) {
    const auto wild = pattern.find_first_of("*?[");
    const auto slash = pattern.rfind('/', wild);
    if (slash != std::string::npos && slash > 0) {
        const auto folder = pattern.substr(0, slash);
        std::error_code ignored;
        if (expand(folder).empty() && !fs::exists(folder, ignored))
            not_found(text("no file matches '%s': the folder '%s' does not exist", pattern.c_str(),
                           folder.c_str()));
    }
    not_found(text("no file matches '%s'", pattern.c_str()));
}

std::vector<std::string> files_in(const std::string &folder) {
    std::error_code error;
    std::vector<std::string> files;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (!is_hidden(entry->path().string()))
            files.push_back(entry->path().string());
    if (error)
        throw system_error("read the folder", folder, error.value(), GST_RESOURCE_ERROR_OPEN_READ);
    return files;
}

[[noreturn]] void leads_nowhere(const std::string &link) {
    std::error_code ignored;
    not_found(text("'%s' is a link to '%s', which does not exist: put that file back, or remove the link",
                   link.c_str(), fs::read_symlink(link, ignored).c_str()));
}

// A folder that is read as one file is.
bool is_zarr(const std::string &path, const ReadOptions &options) {
    std::error_code ignored;
    const auto type = options.type == FileType::Automatic ? type_of_suffix(path) : options.type;
    return type == FileType::Zarr && fs::is_directory(path, ignored);
}

// Leaves files that a reader claims, throws where there is none.
std::vector<std::string> readable(const std::vector<std::string> &candidates, const std::string &dataset,
                                  const ReadOptions &options, const std::string &path) {
    std::vector<std::string> files;
    std::size_t regular = 0, raw = 0, hdf5 = 0;
    for (const auto &file : candidates) {
        std::error_code ignored;
        const auto type = options.type == FileType::Automatic ? type_of_suffix(file) : options.type;
        const bool is_link = fs::is_symlink(file, ignored);
        if (is_link && type != FileType::Automatic && !fs::exists(file, ignored))
            leads_nowhere(file);
        if (!fs::is_regular_file(file, ignored) && !is_zarr(file, options))
            continue;
        regular++;
        if (type == FileType::Raw && !options.raw.is_complete())
            raw++;
        else if (type == FileType::Hdf5 && dataset.empty())
            hdf5++;
        else if (type != FileType::Automatic)
            files.push_back(file);
    }
    if (!files.empty())
        return files;
    if (regular == 0)
        not_found(text("'%s' holds no file", path.c_str()));
    if (hdf5 > 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, text("'%s' stands for HDF5 files (%" G_GSIZE_FORMAT
                                                      "), but names no dataset; write it behind a "
                                                      "colon, as in '*.h5:/entry/data/data'",
                                                      path.c_str(), hdf5));
    if (raw > 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' stands for raw files (%" G_GSIZE_FORMAT
                         "); set raw-width, raw-height and raw-bitdepth or raw-format",
                         path.c_str(), raw));
    not_found(text("none of the %" G_GSIZE_FORMAT
                   " files of '%s' has a format that is known by its suffix (%s)",
                   regular, path.c_str(), supported_suffixes().c_str()));
}

std::vector<std::string> files_of(const Location &location, const ReadOptions &options) {
    std::error_code error;
    auto path = location.file;
    if (path.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    "no path is given; name a file, a folder or a pattern such as 'scan/*.tif'");
    // A file may be named like a pattern.
    if (!is_there(path)) {
        const auto found = expand(path);
        if (is_pattern(path)) {
            if (found.empty())
                no_match(path);
            return readable(found, location.dataset, options, path);
        }
        if (found.size() == 1)
            path = found[0]; // ~ was expanded
    }
    const auto status = fs::status(path, error);
    if (!fs::exists(status) && is_there(path))
        leads_nowhere(path);
    if (!fs::exists(status))
        throw system_error("open", path, error ? error.value() : ENOENT, GST_RESOURCE_ERROR_NOT_FOUND);
    if (!fs::is_directory(status) || is_zarr(path, options))
        return {path};
    if (!location.dataset.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' is a folder; name the files whose dataset '%s' is meant, as in '%s/*.h5:%s'",
                         path.c_str(), location.dataset.c_str(), path.c_str(), location.dataset.c_str()));
    auto files = readable(files_in(path), location.dataset, options, path);
    // Beside images of another format, arrays of numpy are tables of angles and the like.
    const auto is_table = [&](const std::string &file) {
        return options.type == FileType::Automatic && type_of_suffix(file) == FileType::Npy;
    };
    if (!std::all_of(files.begin(), files.end(), is_table))
        files.erase(std::remove_if(files.begin(), files.end(), is_table), files.end());
    return files;
}

} // namespace

bool is_hidden(const std::string &path) {
    const auto name = fs::path(path).filename().string();
    return !name.empty() && name[0] == '.' && name != "." && name != "..";
}

std::vector<std::string> list_files(const std::string &path, const ReadOptions &options,
                                    const FileRange &range) {
    return choose_files(path, options, range).files;
}

ChosenFiles choose_files(const std::string &path, const ReadOptions &options, const FileRange &range) {
    if (range.step == 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, "the step between files is 0; it must be 1 or more");
    if (names_memory(path) && range.start == 0)
        return {std::vector<std::string>{path}, 1};
    const auto location = split_location(path, options.type);
    auto files = files_of(location, options);
    sort_names(files, range.order);
    if (range.start >= files.size())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("start is %u, but '%s' stands for %" G_GSIZE_FORMAT
                         " file%s, counted from 0 (image-start counts "
                         "pages)",
                         range.start, path.c_str(), files.size(), files.size() == 1 ? "" : "s"));
    std::vector<std::string> chosen;
    for (std::size_t i = range.start; i < files.size(); i += range.step)
        chosen.push_back(Location{files[i], location.dataset}.text());
    return {std::move(chosen), files.size()};
}

} // namespace tomo::io
