// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "target.hpp"
#include "journal.hpp"
#include "objects.hpp"
#include <gst/files/disk.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>

namespace tomo::io {

namespace {

// The library can't stand that its own structures don't fit on the disk: it crashes or never closes the file.
// So room for them is reserved before, and for an image that goes through its cache; others fail by
// themselves. The structures of an image and of the groups take less than this; the rest saves asking for
// every small image.
constexpr std::uint64_t structure_bytes = 256 << 10;

constexpr auto cannot_write = GST_RESOURCE_ERROR_WRITE;

std::string told(const std::string &place) { return "cannot write '" + place + "'"; }

bool exists(const std::string &file) {
    std::error_code ignored;
    return std::filesystem::exists(file, ignored);
}

void remove_file(const std::string &name) {
    std::error_code ignored; // what can't be removed stays, and is no more wrong for it
    std::filesystem::remove(name, ignored);
}

} // namespace

bool hdf5_was_begun(const std::string &file) {
    hdf5_recover(file, true);
    const bool is_hdf5 = H5Fis_hdf5(file.c_str()) > 0;
    H5Eclear2(H5E_DEFAULT);
    return is_hdf5;
}

Hdf5Target::Hdf5Target(const Location &location, Existing existing, const WriteOptions &options)
    : location_(location), fsync_(options.fsync) {
    location_.file = prepare_target(location.file);
    if (exists(location_.file))
        open_existing(existing);
    else if (existing == Existing::Resume && exists(partial_name(location_.file)))
        reopen_partial();
    else
        create();
}

void Hdf5Target::begin() { hdf5_begin_to_flush(file(), fsync_); }

void Hdf5Target::create() {
    const auto partial = partial_name(location_.file);
    try {
        // Claimed, tried and let go: the library has locks of its own.
        const auto claim = claim_partial(location_.file);
        reserve_space(claim.get(), 0, 2 * structure_bytes, partial);
    } catch (const Error &e) {
        if (e.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT)
            remove_file(partial);
        throw;
    }
    const auto access = hdf5_file_access();
    hdf5_use_journal(access.get());
    file_ = Hdf5Handle(hdf5_check(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()),
                                  GST_RESOURCE_ERROR_OPEN_WRITE, told(partial)),
                       H5Fclose);
}

void Hdf5Target::reopen_partial() {
    const auto partial = partial_name(location_.file);
    claim_partial(location_.file, true);
    if (!hdf5_was_begun(partial)) {
        create();
        return;
    }
    file_ = hdf5_open(partial, true);
    has_dataset_ = hdf5_look_up(file_.get(), location_.dataset).next.empty();
}

void Hdf5Target::open_existing(Existing existing) {
    file_ = hdf5_open(location_.file, true);
    const auto node = hdf5_look_up(file_.get(), location_.dataset);
    const bool is_all = node.next.empty();
    using Kind = Hdf5Node::Kind;
    if (!is_all && (node.kind == Kind::Dataset || node.kind == Kind::Other))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': '%s' is a dataset, so nothing can be inside; name another "
                         "place",
                         location_.text().c_str(), node.existing.c_str()));
    if (is_all && node.kind != Kind::Dataset)
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': '%s' is a group%s; name a dataset in it",
                         location_.text().c_str(), location_.dataset.c_str(),
                         node.kind == Kind::Other ? " or a type" : ""));
    if (node.kind == Kind::Dangling && node.next != location_.dataset)
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': '%s' is a link to something that can't be found",
                         location_.text().c_str(), node.next.c_str()));
    first_new_ = node.kind == Kind::Missing ? node.next : location_.dataset;
    place_ = Place::NewDataset;
    if (existing == Existing::Resume && hdf5_look_up(file_.get(), partial_dataset()).next.empty()) {
        has_dataset_ = has_partial_ = true;
    } else if (existing != Existing::Replace && is_all) {
        place_ = Place::GrownDataset;
        has_dataset_ = true;
    }
}

std::string Hdf5Target::file_name() const {
    return place_ == Place::NewFile ? partial_name(location_.file) : location_.file;
}

std::string Hdf5Target::dataset() const {
    return place_ == Place::NewDataset && !is_named_ ? partial_dataset() : location_.dataset;
}

std::string Hdf5Target::full_name() const { return file_name() + ":" + dataset(); }

void Hdf5Target::make_room_for(const std::string &dataset) {
    if (place_ == Place::NewFile)
        return;
    if (hdf5_look_up(file(), dataset).next.empty())
        hdf5_check(H5Ldelete(file(), dataset.c_str(), H5P_DEFAULT), cannot_write,
                   "cannot create '" + location_.file + ":" + dataset + "'");
    has_partial_ = true;
}

void Hdf5Target::reserve(std::uint64_t bytes, std::uint64_t samples_before) {
    hsize_t end = 0;
    void *descriptor = nullptr;
    const auto access = hdf5_file_access();
    if (H5Fget_filesize(file(), &end) < 0 || H5Fget_vfd_handle(file(), access.get(), &descriptor) < 0 ||
        end + samples_before + bytes + structure_bytes <= reserved_)
        return;
    const auto reserved = bytes + 2 * structure_bytes;
    reserve_space(*static_cast<int *>(descriptor), end + samples_before, reserved, full_name());
    reserved_ = end + samples_before + reserved;
}

void Hdf5Target::name_dataset() {
    if (place_ == Place::NewDataset) {
        const auto &name = location_.dataset;
        if (H5Lexists(file(), name.c_str(), H5P_DEFAULT) > 0)
            hdf5_check(H5Ldelete(file(), name.c_str(), H5P_DEFAULT), cannot_write,
                       "cannot replace '" + location_.text() + "'");
        hdf5_check(H5Lmove(file(), partial_dataset().c_str(), file(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                   cannot_write, "cannot rename '" + full_name() + "' to '" + location_.text() + "'");
    }
}

void Hdf5Target::publish() {
    is_named_ = true;
    const bool is_closed = file_.close();
    if (const int error = hdf5_close_error())
        throw system_error("write", full_name(), error, cannot_write);
    if (!is_closed)
        throw hdf5_error(cannot_write, told(full_name()));
    // Its final length, too.
    const FileDescriptor written(fsync_ ? open(file_name().c_str(), O_RDONLY | O_CLOEXEC) : -1);
    if (fsync_ && (!written || !sync_to_disk(written.get())))
        throw system_error("write", file_name(), errno, cannot_write);
    if (place_ == Place::NewFile) {
        hdf5_remove_journal(location_.file); // of a file that is no more
        rename_partial(location_.file);
    }
}

bool Hdf5Target::remove_empty_dataset() {
    if (place_ == Place::NewFile)
        return true;
    const auto remove = [&](const std::string &name) {
        return H5Ldelete(file(), name.c_str(), H5P_DEFAULT) >= 0;
    };
    const bool has_new_group =
        first_new_ != location_.dataset && H5Lexists(file(), first_new_.c_str(), H5P_DEFAULT) > 0;
    const bool is_removed = !has_partial_ || remove(partial_dataset());
    return (!has_new_group || remove(first_new_)) && is_removed;
}

bool Hdf5Target::try_to_flush() { return H5Fflush(file(), H5F_SCOPE_LOCAL) >= 0; }

void Hdf5Target::flush() {
    if (!try_to_flush())
        throw hdf5_error(cannot_write, told(full_name()));
}

void Hdf5Target::give_up() { hdf5_give_up(file()); }

void Hdf5Target::abandon(bool remove) {
    file_.close();
    hdf5_close_error(); // what was flushed is there all the same
    if (remove && place_ == Place::NewFile && !is_named_)
        hdf5_remove_partial(partial_name(location_.file));
    H5Eclear2(H5E_DEFAULT);
}

} // namespace tomo::io

#endif // HAVE_HDF5
