// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "folder.hpp"
#include "array.hpp"

#include <gst/files/disk.hpp>
#include <gst/files/input-claim.hpp>
#include <gst/files/output-names.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

// Which images of NAME.partial are whole.
constexpr char note_name[] = ".gst-tomo-images";
// A description until it is whole. It has one name, so that a later run writes over what a killed one left.
constexpr char new_name[] = ".gst-tomo-new";

bool is_number(const std::string &name) {
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What is in a folder and was not written by this library; empty if there is no such thing.
std::string foreign_part(const std::string &folder) {
    bool has_signature = false, has_others = false;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto name = entry->path().filename().string();
        std::error_code ignored;
        if (name == note_name) {
            has_signature = true;
        } else if (name == ".zattrs") {
            try {
                has_signature |= Json::parse(read_text_file(entry->path().string(), "attributes"), name)
                                     .find(zarr_signature) != nullptr;
            } catch (const Error &) {
                return name;
            }
        } else if (is_number(name) && entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
            has_others = true;
        } else if (name != ".zgroup" && name != new_name) {
            return name;
        }
    }
    if (error)
        throw system_error("read the folder", folder, error.value(), GST_RESOURCE_ERROR_OPEN_WRITE);
    return has_others && !has_signature ? "arrays of another program" : "";
}

void require_own(const std::string &folder) {
    struct stat facts;
    if (lstat(folder.c_str(), &facts) != 0)
        return;
    if (!S_ISDIR(facts.st_mode))
        throw Error(
            GST_RESOURCE_ERROR_OPEN_WRITE,
            text("cannot write '%s': it is no folder, as an image of OME-Zarr is; remove it, or write to "
                 "another name",
                 folder.c_str()));
    if (const auto part = foreign_part(folder); !part.empty())
        throw Error(
            GST_RESOURCE_ERROR_OPEN_WRITE,
            text("cannot write '%s': in this folder is %s, which gst-tomo did not write, so it is not "
                 "replaced; remove it, or write to another name",
                 folder.c_str(), part.c_str()));
    refuse_to_replace_input(folder);
}

// Nothing but what this library writes.
void clear(const std::string &folder) {
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(folder, ignored)) {
        const auto name = entry.path().filename().string();
        if (is_number(name) && !entry.is_symlink(ignored))
            fs::remove_all(entry.path(), ignored);
        else if (name == note_name || name == new_name || name == ".zattrs" || name == ".zgroup")
            fs::remove(entry.path(), ignored);
    }
}

// Of this start of the machine. What it had not yet put on the disk is there as long as it runs.
std::string number_of_boot() {
    try {
        auto id = read_text_file("/proc/sys/kernel/random/boot_id", "the number of the machine's start");
        return id.substr(0, id.find('\n'));
    } catch (const Error &) {
        return {};
    }
}

} // namespace

ZarrFolder::ZarrFolder(const std::string &name, bool resume, bool fsync)
    : name_(name), fsync_(fsync), boot_(number_of_boot()), path_(partial_name(name)) {
    std::error_code error;
    make_folder_of(name);
    require_own(name_);
    require_own(path_);
    if (resume && !fs::exists(path_, error) && fs::exists(name_, error)) {
        path_ = name_;
        images_ = ZarrArray(name_ + "/0").grid().shape[0];
        return;
    }
    lock_ = claim_folder(path_, name_);
    if (resume)
        images_ = noted_images();
    if (images_ == 0)
        clear(path_);
    note(images_);
}

ZarrFolder::~ZarrFolder() {
    if (!is_named() && images_ == 0 && lock_)
        remove();
}

std::uint64_t ZarrFolder::noted_images() const {
    const auto file = path_ + "/" + note_name;
    std::error_code ignored;
    if (!fs::exists(file, ignored))
        return 0;
    const auto json = Json::parse(read_text_file(file, "the number of images"), file);
    const auto *images = json.find("images");
    return images && images->is_integer() && json.text_of("boot") == boot_
               ? g_ascii_strtoull(images->text().c_str(), nullptr, 10)
               : 0;
}

void ZarrFolder::take_back() {
    require_own(name_);
    const auto partial = partial_name(name_);
    if (rename(name_.c_str(), partial.c_str()) != 0)
        throw system_error("rename '" + name_ + "' to", partial, errno, GST_RESOURCE_ERROR_OPEN_WRITE);
    path_ = partial;
    lock_ = claim_folder(path_, name_);
    note(images_);
}

void ZarrFolder::note(std::uint64_t images) {
    // Of the same length each time, so that it is written by one call, and whole.
    const auto words =
        text("{\"images\": %20" G_GUINT64_FORMAT ", \"boot\": \"%s\"}\n", images, boot_.c_str());
    const auto file = path_ + "/" + note_name;
    if (!note_)
        note_ = FileDescriptor(open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!note_ || !write_bytes(note_.get(), 0, words.data(), words.size()))
        throw system_error("write", file, errno, GST_RESOURCE_ERROR_WRITE);
    images_ = images;
}

void ZarrFolder::write(const std::string &name, const std::string &contents) const {
    const auto file = path_ + "/" + name;
    std::error_code error;
    fs::create_directories(fs::path(file).parent_path(), error);
    const auto made = path_ + "/" + new_name;
    FileDescriptor out(open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!out || !write_bytes(out.get(), 0, contents.data(), contents.size()) ||
        rename(made.c_str(), file.c_str()) != 0) {
        const auto cause = errno;
        unlink(made.c_str());
        throw system_error("write", file, cause, GST_RESOURCE_ERROR_WRITE);
    }
}

void ZarrFolder::publish() {
    const auto fail = [&](const std::string &path) {
        throw system_error("write", path, errno, GST_RESOURCE_ERROR_WRITE);
    };
    require_own(name_);
    note_.close();
    unlink((path_ + "/" + note_name).c_str());
    if (fsync_ && syncfs(lock_.get()) != 0)
        fail(path_);
    const bool replaces = access(name_.c_str(), F_OK) == 0;
    if (!replaces) {
        rename_partial(name_);
    } else if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, name_.c_str(), RENAME_EXCHANGE) != 0) {
        // Not every file system can exchange two names in one step.
        const auto old = name_ + ".replaced";
        if (rename(name_.c_str(), old.c_str()) != 0)
            fail(name_);
        rename_partial(name_);
        if (rename(old.c_str(), path_.c_str()) != 0)
            fail(old);
    }
    if (replaces) { // NAME.partial is the image that was there before
        clear(path_);
        rmdir(path_.c_str());
    }
    path_ = name_;
    if (fsync_ && !sync_folder_of(name_))
        fail(name_);
}

void ZarrFolder::remove() noexcept {
    if (is_named())
        return;
    clear(path_);
    rmdir(path_.c_str());
    lock_.close();
}

} // namespace tomo::io
