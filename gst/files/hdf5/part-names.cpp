// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "part-names.hpp"
#include "journal.hpp"
#include "objects.hpp"
#include "virtual.hpp"
#include <gst/files/number-pattern.hpp>
#include <gst/files/output-names.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <glib.h>
#include <string_view>
#include <unistd.h>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

// The path of a dataset as a part of a file's name, different for each: slashes are dots, and what is not
// plain in a name is ~ with two digits.
std::string in_file_name(const std::string &dataset) {
    constexpr std::size_t longest = 180; // names of files end at 255 bytes
    std::string name;
    for (const char c : dataset.substr(1)) {
        const auto byte = static_cast<unsigned char>(c);
        name += c == '/'                                                     ? "."
                : g_ascii_isalnum(c) || c == '_' || c == '-' || byte >= 0x80 ? std::string(1, c)
                                                                             : text("~%02x", byte);
    }
    if (name.size() <= longest)
        return name;
    gchar *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, dataset.c_str(), -1);
    const auto shortened = name.substr(0, longest / 2) + "~~" + std::string(sum, 32);
    g_free(sum);
    return shortened;
}

} // namespace

Hdf5PartNames::Hdf5PartNames(const Location &location)
    : file_(location.file), dataset_(location.dataset), folder_(location.file + ".parts"),
      folder_name_(fs::path(folder_).filename().string()), prefix_(in_file_name(location.dataset)) {}

std::string Hdf5PartNames::name(const Hdf5PartRun &run, unsigned number) const {
    return prefix_ + text("-%c-%03u-of-%03u.h5", run.letter, number, run.parts);
}

std::string Hdf5PartNames::mark_of(const Hdf5PartRun &run) const {
    return prefix_ + text("-%c-of-%03u.unfinished", run.letter, run.parts);
}

std::string Hdf5PartNames::source(const Hdf5PartRun &run, unsigned number) const {
    return escape_pattern(folder_name_ + "/" + name(run, number));
}

std::optional<Hdf5PartNames::Parsed> Hdf5PartNames::parse(const std::string &name) const {
    // Read by their places, and compared as a whole.
    if (name.size() < prefix_.size() + 3)
        return {};
    const char *at = name.c_str() + prefix_.size() + 3;
    Parsed parsed{{at[-2], 0}, {}};
    if (g_ascii_isdigit(*at)) {
        char *end = nullptr;
        parsed.number = static_cast<unsigned>(std::strtoul(at, &end, 10));
        at = end + (*end == '-');
    }
    if (std::string_view(at).substr(0, 3) != "of-" || !g_ascii_islower(parsed.run.letter))
        return {};
    parsed.run.parts = static_cast<unsigned>(std::strtoul(at + 3, nullptr, 10));
    if (name != (parsed.number ? this->name(parsed.run, *parsed.number) : mark_of(parsed.run)))
        return {};
    return parsed;
}

std::optional<Hdf5PartRun> Hdf5PartNames::standing(hid_t file) const {
    const auto node = hdf5_look_up(file, dataset_);
    if (node.kind != Hdf5Node::Kind::Dataset || !node.next.empty())
        return {};
    const Hdf5Handle dataset(H5Dopen2(file, dataset_.c_str(), H5P_DEFAULT), H5Dclose);
    const auto folder = folder_name_ + "/";
    for (const auto &source : hdf5_virtual_parts(dataset.get()))
        if (source.file.compare(0, folder.size(), folder) == 0)
            if (const auto parsed = parse(source.file.substr(folder.size())))
                return parsed->run;
    return {};
}

std::vector<Hdf5PartNames::Found> Hdf5PartNames::find() const {
    std::vector<Found> found;
    std::error_code ignored;
    const auto partial = partial_name("");
    for (const auto &entry : fs::directory_iterator(folder_, ignored)) {
        auto name = entry.path().filename().string();
        const bool is_partial = g_str_has_suffix(name.c_str(), partial.c_str());
        const auto parsed = parse(is_partial ? name.substr(0, name.size() - partial.size()) : name);
        if (!parsed)
            continue;
        auto of_run =
            std::find_if(found.begin(), found.end(), [&](const auto &one) { return one.run == parsed->run; });
        if (of_run == found.end())
            of_run = found.insert(of_run, {parsed->run, true, fs::file_time_type::min(), {}});
        of_run->is_finished &= parsed->number && !is_partial;
        of_run->time = std::max(of_run->time, fs::last_write_time(entry.path(), ignored));
        if (parsed->number)
            of_run->numbers.insert(*parsed->number);
    }
    return found;
}

std::optional<Hdf5PartRun> Hdf5PartNames::unfinished() const {
    std::optional<Found> last;
    for (const auto &one : find())
        if (!one.is_finished && !one.numbers.empty() && (!last || one.time > last->time))
            last = one;
    return last ? std::optional(last->run) : std::nullopt;
}

std::optional<Hdf5PartRun> Hdf5PartNames::foreign(const std::optional<Hdf5PartRun> &standing) const {
    for (const auto &one : find())
        if (one.is_finished && one.run != standing)
            return one.run;
    return {};
}

char Hdf5PartNames::free_letter(const std::optional<Hdf5PartRun> &standing) const {
    std::set<char> taken;
    if (standing)
        taken.insert(standing->letter);
    for (const auto &one : find())
        if (one.is_finished)
            taken.insert(one.run.letter);
    for (char letter = 'a'; letter <= 'z'; letter++)
        if (!taken.count(letter))
            return letter;
    throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                text("'%s' has files of 26 runs for the dataset '%s'; remove those upon which no file stands",
                     folder_.c_str(), dataset_.c_str()));
}

void Hdf5PartNames::mark_unfinished(const Hdf5PartRun &run) const {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
        throw system_error("create the folder", folder_, error.value(), GST_RESOURCE_ERROR_OPEN_WRITE);
    const auto mark = folder_ + "/" + mark_of(run);
    if (!FileDescriptor(open(mark.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666)))
        throw system_error("write", mark, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
}

void Hdf5PartNames::mark_finished(const Hdf5PartRun &run) const {
    unlink((folder_ + "/" + mark_of(run)).c_str());
}

void Hdf5PartNames::forget_empty(const Hdf5PartRun &run) const {
    const auto found = find();
    if (std::none_of(found.begin(), found.end(),
                     [&](const auto &one) { return one.run == run && !one.numbers.empty(); }))
        mark_finished(run);
    rmdir(folder_.c_str());
}

void Hdf5PartNames::remove(const Hdf5PartRun &run, unsigned number) const {
    const auto file = path(run, number), partial = partial_name(file);
    if (access(partial.c_str(), F_OK) == 0) {
        const auto claim = claim_partial(file, true);
        hdf5_remove_partial(partial);
    }
    hdf5_remove_journal(file);
    unlink(file.c_str());
}

void Hdf5PartNames::clean(const std::optional<Hdf5PartRun> &replaced) const {
    for (const auto &one : find()) {
        if (one.is_finished && one.run != replaced)
            continue;
        try {
            for (const auto number : one.numbers)
                remove(one.run, number);
            mark_finished(one.run);
        } catch (const Error &) { // another writer has it
        }
    }
    rmdir(folder_.c_str());
}

} // namespace tomo::io

#endif // HAVE_HDF5
