// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Scans of image files, told apart by the words in the names of folders and files.
#include <gst/files/file-list.hpp>
#include "layout.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

enum class Kind { Projections, Darks, Flats, FlatsAfter };

// The words of a name in lower case: "flat_post-0001" has flat and post. A capital letter begins another one,
// if it is long enough to be none by accident: "FlatField" has flat and field, but "RadIO" no io.
struct Words {
    std::vector<std::string> all;
    std::size_t apart = 0; // those with something else than letters between them

    explicit Words(const std::string &name) {
        for (std::size_t i = 0; i < name.size(); i++)
            if (is_letter(name[i])) {
                const auto begin = i;
                while (i < name.size() && is_letter(name[i]))
                    i++;
                add(name.substr(begin, i - begin));
            }
    }

    bool have(std::initializer_list<const char *> wanted) const {
        return std::any_of(all.begin(), all.end(), [&](const std::string &word) {
            return std::any_of(wanted.begin(), wanted.end(), [&](const char *w) { return word == w; });
        });
    }

  private:
    static bool is_letter(char c) { return g_ascii_isalpha(c) || static_cast<unsigned char>(c) >= 0x80; }

    void add(const std::string &letters) {
        constexpr std::size_t long_enough = 3;
        std::string part, whole;
        const auto end_part = [&] {
            if (part.size() >= long_enough)
                all.push_back(part);
            part.clear();
        };
        for (std::size_t i = 0; i < letters.size(); i++) {
            const bool is_upper = g_ascii_isupper(letters[i]);
            const bool ends_capitals = i + 1 < letters.size() && g_ascii_islower(letters[i + 1]);
            if (i > 0 && is_upper && (!g_ascii_isupper(letters[i - 1]) || ends_capitals))
                end_part();
            part += g_ascii_tolower(letters[i]);
            whole += part.back();
        }
        end_part();
        all.push_back(whole);
        apart++;
    }
};

// By its words, none of which is a part of a longer one: "didymium" has no di.
Kind kind_of_name(const std::string &name) {
    const Words words(name);
    const bool after = words.have({"after", "post", "end", "nachher"}) || name == "flats2";
    const bool has_time = after || words.have({"before", "pre", "vorher"});
    // Words that mean other things as well count where nothing else is said.
    const bool alone = words.apart == (has_time && name != "flats2" ? 2 : 1);
    const bool dark = words.have({"dark", "darks", "darkend", "darkfield", "darkfields", "di", "df", "drk",
                                  "bias", "dunkel", "dunkelbild", "dunkelbilder", "dunkelfeld"}) ||
                      (alone && words.have({"dc", "offset", "offsets"}));
    const bool flat = words.have({"flat", "flats", "flatfield", "flatfields", "io", "white", "whites",
                                  "whitefield", "ref", "refs", "ff", "ob", "openbeam", "bright", "brights",
                                  "brightfield", "hellbild", "hellbilder", "hellfeld"}) ||
                      (words.have({"open"}) && words.have({"beam"})) ||
                      (alone && words.have({"bak", "bkg", "hell", "empty", "blank", "background", "gain",
                                            "gains", "reference", "references"}));
    if (dark)
        return Kind::Darks;
    return !flat ? Kind::Projections : after ? Kind::FlatsAfter : Kind::Flats;
}

using FilesByKind = std::map<Kind, std::vector<std::string>>;

void sort_in(FilesByKind &found, const std::vector<std::string> &files) {
    for (const auto &file : files)
        found[kind_of_name(fs::path(file).stem().string())].push_back(file);
}

// Files that a reader takes; nothing where there is none.
std::vector<std::string> images_in(const std::string &folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        const auto type = type_of_suffix(entry->path().string());
        if (type != FileType::Automatic && type != FileType::Hdf5 && type != FileType::Raw &&
            !is_hidden(entry->path().string()) &&
            (entry->is_regular_file(ignored) || entry->is_symlink(ignored)))
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
        if (!entry->is_directory(error) || is_hidden(entry->path().string()))
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
        if (type_of_suffix(entry->path().string()) == FileType::Hdf5 && !is_hidden(entry->path().string()))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' holds HDF5 files and no folder of images; name the file that is the scan, such "
                     "as '%s'",
                     folder.c_str(), entry->path().c_str()));
}

ScanImages images_of(std::vector<std::string> files, NameOrder order) {
    sort_names(files, order);
    ScanImages found;
    // A series has one page per file, which saves opening all of them; a few files may have more.
    constexpr std::size_t few = 16;
    found.one_page_each = files.size() > few;
    for (const auto &file : files)
        found.add_file(file, found.one_page_each ? 1 : open_scan_reader(file)->pages());
    return found;
}

// Those beside the images. A fault counts where nobody names other angles.
void read_angles(ScanLayout &scan, const std::string &file) {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored))
        return;
    scan.name += " with its angles.txt";
    try {
        scan.angles = angles_of_text(file);
    } catch (const Error &error) {
        scan.unusable_angles = error.what();
    }
}

} // namespace

ScanLayout find_folder_scan(const std::string &location, NameOrder order) {
    FilesByKind found;
    std::error_code error;
    if (fs::is_directory(location, error))
        found = files_of_folder(location);
    else if (fs::is_regular_file(location, error)) // named itself, whatever its name says
        found[Kind::Projections] = {location};
    else
        sort_in(found, list_files(location));
    const bool has_none =
        std::all_of(found.begin(), found.end(), [](const auto &kind) { return kind.second.empty(); });
    if (has_none && fs::is_directory(location, error))
        refuse_folder_of_hdf5(location);
    if (has_none)
        throw NotYet(GST_RESOURCE_ERROR_NOT_FOUND,
                     text("'%s' holds no images of a scan: no image file (%s) in it or in a folder below",
                          location.c_str(), supported_suffixes().c_str()));
    ScanLayout scan;
    scan.name = "'" + location + "'";
    scan.projections = images_of(found[Kind::Projections], order);
    scan.darks = images_of(found[Kind::Darks], order);
    scan.flats = images_of(found[Kind::Flats], order);
    scan.flats_after = images_of(found[Kind::FlatsAfter], order);
    if (scan.flats.empty())
        std::swap(scan.flats, scan.flats_after);
    if (fs::is_directory(location, error))
        read_angles(scan, (fs::path(location) / "angles.txt").string());
    return scan;
}

} // namespace tomo::io
