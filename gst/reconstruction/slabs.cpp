// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-list.hpp>
#include <gst/files/output-names.hpp>
#include <gst/reconstruction/slabs.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

namespace tomo::reconstruction {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view notes_file = "lines.txt"; // how the slabs are made
constexpr std::string_view partial = ".partial";
constexpr std::string_view most_mark = "# images of a slab: "; // begin of the notes about slabs of a cluster

std::string file_of(const Slab &slab) { return io::split_location(slab.output).file; }

// Whether this is the name of a slab of any run, whole or not: 00042.h5, 00042.tif.partial
bool is_slab(std::string name) {
    if (name.size() > partial.size() &&
        name.compare(name.size() - partial.size(), partial.size(), partial) == 0)
        name.resize(name.size() - partial.size());
    const auto digits = name.find_first_not_of("0123456789");
    return digits != std::string::npos && digits >= 5 &&
           (name.substr(digits) == ".h5" || name.substr(digits) == ".tif");
}

// A run that was killed while it wrote its list leaves lines.txt.XXXXXX.
bool is_unfinished_list(const std::string &name) {
    constexpr std::size_t letters = 6;
    return name.size() == notes_file.size() + 1 + letters && name.starts_with(notes_file) &&
           name[notes_file.size()] == '.';
}

std::vector<fs::path> files_in(const std::string &folder) {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(folder, ignored))
        files.push_back(entry.path());
    return files;
}

} // namespace

std::string SlabFolder::notes_path() const { return text("%s/%s", plan_.folder.c_str(), notes_file.data()); }

std::optional<unsigned> SlabFolder::most_images_of_earlier() const {
    const auto notes = notes_path();
    if (!fs::exists(notes))
        return {};
    const auto lines = read_text_file(notes, "list of dataflows");
    if (!lines.starts_with(most_mark))
        return {};
    const auto most = static_cast<unsigned>(g_ascii_strtoull(lines.c_str() + most_mark.size(), nullptr, 10));
    return most ? std::optional(most) : std::nullopt;
}

io::FileDescriptor SlabFolder::prepare(bool resume) const {
    const auto lines = list_of_lines(), notes = notes_path();
    io::make_folder_of(plan_.folder);
    auto claimed = io::claim_folder(plan_.folder, plan_.output);
    // Without its list a folder holds slabs of unknown origin.
    if (!resume || !fs::exists(notes))
        remove_files();
    else if (read_text_file(notes, "list of dataflows") != lines)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s' can't be resumed: the interrupted run had other settings; --overwrite begins anew",
                 plan_.output.c_str()));
    refuse_others();
    for (const auto &slab : plan_.slabs) // as a power failure leaves some
        if (has(slab) && !problem(slab).empty())
            remove(slab);
    replace_text_file(notes, lines);
    return claimed;
}

bool SlabFolder::has(const Slab &slab) const { return fs::exists(file_of(slab)); }

void SlabFolder::remove(const Slab &slab) const { fs::remove(file_of(slab)); }

std::string SlabFolder::problem(const Slab &slab) const {
    try {
        const auto reader = io::open_reader(slab.output);
        const auto images = reader->pages() * reader->info(0).depth;
        if (images == slab.images)
            return {};
        return text("'%s' has %zu images, and %u were written to it", slab.output.c_str(), images,
                    slab.images);
    } catch (const Error &e) {
        return e.what();
    }
}

void SlabFolder::check() const {
    refuse_others();
    for (const auto &slab : plan_.slabs)
        if (const auto wrong = problem(slab); !wrong.empty())
            throw Error(GST_RESOURCE_ERROR_READ, wrong + ": --resume makes it anew, and goes on");
}

void SlabFolder::remove() const {
    remove_files();
    std::error_code ignored;
    fs::remove(plan_.folder, ignored);
}

void SlabFolder::remove_files() const {
    std::error_code ignored;
    for (const auto &file : files_in(plan_.folder))
        if (is_slab(file.filename()) || is_unfinished_list(file.filename()))
            fs::remove(file, ignored);
    fs::remove(notes_path(), ignored);
}

void SlabFolder::remove_without_slabs() const {
    const auto files = files_in(plan_.folder);
    if (std::none_of(files.begin(), files.end(), [](const auto &file) { return is_slab(file.filename()); }))
        remove();
}

// The join reads all files of the slabs' format.
void SlabFolder::refuse_others() const {
    std::set<fs::path> slabs;
    for (const auto &slab : plan_.slabs)
        slabs.insert(file_of(slab));
    const auto suffix = slabs.begin()->extension();
    for (const auto &file : files_in(plan_.folder))
        if (file.extension() == suffix && !slabs.count(file))
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s' stands among the slabs of '%s' and is none of them: move it away",
                             file.c_str(), plan_.output.c_str()));
}

std::string SlabFolder::list_of_lines() const {
    std::string lines;
    if (plan_.most_images)
        lines = std::string(most_mark) + std::to_string(plan_.most_images) + "\n";
    for (const auto &slab : plan_.slabs)
        lines += slab.recipe + "\n";
    return lines;
}

} // namespace tomo::reconstruction
