// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// HDF5: one dataset of images x rows x columns, the first extent without limit, a chunk for each image;
// compressed ones have several, which are compressed at the same time.
//
// A file that does not exist yet is written as FILE.partial. In one that exists the new dataset is
// DATASET.partial until it is complete; then it takes the place of the old one. Other datasets are not
// touched.
//
// A dataset that is continued grows in place. When that is given up, the new images move to DATASET.partial,
// and the dataset has its old length again.

#ifdef HAVE_HDF5

#include <gst/files/file-writer.hpp>
#include "compress.hpp"
#include "file.hpp"
#include "journal.hpp"
#include "result.hpp"
#include <gst/files/image-writer.hpp>
#include <gst/files/output-file.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <optional>
#include <vector>

namespace tomo::io {

namespace {

using Clock = std::chrono::steady_clock;

// What a crash may cost: the file's structure goes to the disk at least this often, or at the interval of the
// options.
constexpr std::uint64_t flush_bytes = 256 << 20;

// The library can't stand that its own structures don't fit on the disk: it crashes or never closes the file.
// So room for them is reserved before, and for an image that goes through its cache; others fail by
// themselves. The structures of an image and of the groups take less than this; the rest saves asking for
// every small image.
constexpr std::uint64_t structure_bytes = 256 << 10;

constexpr auto cannot_write = GST_RESOURCE_ERROR_WRITE;

std::string told(const std::string &place) { return "cannot write '" + place + "'"; }

void remove_file(const std::string &name) {
    std::error_code ignored; // what can't be removed stays, and is no more wrong for it
    std::filesystem::remove(name, ignored);
}

// A process that was killed early, or with its machine, leaves a file in which nothing is yet.
bool was_begun(const std::string &name) {
    hdf5_recover(name, true);
    const bool is_hdf5 = H5Fis_hdf5(name.c_str()) > 0;
    H5Eclear2(H5E_DEFAULT);
    return is_hdf5;
}

class Hdf5File final : public FileWriter {
  public:
    Hdf5File(const Location &location, Existing existing, const WriteOptions &options)
        : target_(location), existing_(existing), options_(options),
          has_range_per_page_(has_range_per_page(options)) {
        const Hdf5Lock lock;
        target_.file = prepare_target(location.file);
        std::error_code ignored;
        in_place_ = std::filesystem::exists(target_.file, ignored);
        if (in_place_)
            open_existing();
        else if (existing_ == Existing::Resume &&
                 std::filesystem::exists(partial_name(target_.file), ignored))
            reopen_partial();
        else
            create_new();
        hdf5_begin_to_flush(file_.get(), options_.fsync);
    }

    ~Hdf5File() override {
        const Hdf5Lock lock;
        dataset_.close();
        if (file_) // neither finished nor abandoned
            hdf5_give_up(file_.get());
        file_.close();
    }

    std::uint64_t resume(const ArrayInfo &plane) override {
        learn_facts();
        const Hdf5Lock lock;
        if (!dataset_)
            return 0;
        if (plane.format != image_.format || plane.width != image_.width || plane.height != image_.height ||
            !image_is_chunks(dataset_.get()))
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("'%s' can't be resumed: it holds images of %s and is not as tomowrite would write those "
                     "of %s; remove it, or write to another dataset",
                     place().c_str(), image_.describe().c_str(), plane.describe().c_str()));
        return images_;
    }

    bool holds(std::uint64_t image, const Page &page) override {
        const Hdf5Lock lock;
        std::vector<unsigned char> there(page.info.size());
        const hsize_t extent[] = {image_.height, image_.width};
        const Hdf5Handle to(H5Screate_simple(2, extent, nullptr), H5Sclose);
        const auto from = hdf5_select_image(dataset_.get(), image, 0, image_.height, 1);
        hdf5_check(
            H5Dread(dataset_.get(), sample_type_.get(), to.get(), from.get(), H5P_DEFAULT, there.data()),
            GST_RESOURCE_ERROR_READ, "cannot read '" + place() + "'");
        return std::memcmp(there.data(), page.samples, there.size()) == 0 && page.grey == grey_;
    }

    void write(const Page &page) override { write(page, nullptr); }

    void write_chunked(const Page &page, const ChunkedPage &chunked) override { write(page, &chunked); }

    void finish() override {
        if (facts_ && options_.add_final_facts)
            options_.add_final_facts(*facts_);
        const Hdf5Lock lock;
        flush();
        try {
            give_name();
        } catch (...) {
            // Nothing of it is in the file; what was flushed is.
            hdf5_give_up(file_.get());
            has_given_up_ = true;
            throw;
        }
        has_name_ = true;
        close_file();
        sync_file();
        if (!in_place_) {
            hdf5_remove_journal(target_.file); // of a file that is no more
            rename_partial(target_.file);
        }
    }

    Remains abandon() override {
        const Hdf5Lock lock;
        Remains remains;
        if (dataset_ && !has_given_up_)
            trim();
        try {
            if (!has_given_up_ && images_ > 0)
                write_ranges(in_place_ ? partial_dataset() : target_.dataset);
        } catch (const Error &) { // what was wrong before has been told
        }
        if (has_name_)
            remains = {images_ - (continues_ ? images_before_ : 0), place(), 0};
        else if (continues_ && existing_ != Existing::Resume && !has_given_up_)
            remains = move_new_images();
        else
            remains = {images_, place(), 0};
        dataset_.close();
        if (remains.images == 0 && in_place_ && !has_given_up_ && !has_name_)
            remove_traces();
        if (file_ && (has_given_up_ || H5Fflush(file_.get(), H5F_SCOPE_LOCAL) < 0)) {
            hdf5_give_up(file_.get());
            // Of a dataset that is continued, those that came new are still in it.
            const auto before = continues_ && existing_ != Existing::Resume ? images_before_ : 0;
            const auto all = images_ - before;
            remains = {images_flushed_ - std::min(images_flushed_, before), place(), 0};
            remains.lost = all - std::min(all, remains.images);
        }
        file_.close();
        hdf5_close_error(); // what was flushed is there all the same
        if (!in_place_ && !has_name_ && remains.images == 0)
            hdf5_remove_partial(partial_name(target_.file));
        H5Eclear2(H5E_DEFAULT);
        return remains;
    }

  private:
    void give_name() {
        if (facts_ && dataset_)
            reserve(hdf5_result_bytes(hdf5_shape(dataset_.get()), *facts_));
        const bool describe = facts_ && dataset_;
        write_ranges(target_.dataset);
        const auto length = options_.length ? options_.length() : StreamLength{};
        if (dataset_ && options_.length)
            hdf5_set_completeness(dataset_.get(), length);
        if (!dataset_.close())
            throw hdf5_error(cannot_write, told(place()));
        if (in_place_ && !continues_) {
            const auto partial = partial_dataset();
            if (H5Lexists(file_.get(), target_.dataset.c_str(), H5P_DEFAULT) > 0)
                hdf5_check(H5Ldelete(file_.get(), target_.dataset.c_str(), H5P_DEFAULT), cannot_write,
                           "cannot replace '" + target_.text() + "'");
            hdf5_check(H5Lmove(file_.get(), partial.c_str(), file_.get(), target_.dataset.c_str(),
                               H5P_DEFAULT, H5P_DEFAULT),
                       cannot_write, "cannot rename '" + place() + "' to '" + target_.text() + "'");
        }
        if (describe)
            hdf5_describe_result(file_.get(), target_.dataset, *facts_, length);
        hdf5_check(H5Fflush(file_.get(), H5F_SCOPE_LOCAL), cannot_write, told(target_.text()));
    }

    void write(const Page &page, const ChunkedPage *chunked) {
        const auto &plane = page.info;
        learn_facts();
        const Hdf5Lock lock;
        if (!dataset_)
            begin(page);
        if (plane.format != image_.format || plane.width != image_.width || plane.height != image_.height)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("'%s' holds images of %s, one of %s can't be among them; write TIFF files, or another "
                     "dataset",
                     target_.text().c_str(), image_.describe().c_str(), plane.describe().c_str()));
        if (!has_range_per_page_ && page.grey != grey_)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s' can't be continued: its samples stand for %s, those that come for %s; set "
                             "minimum and maximum as they are there, or write another dataset",
                             target_.text().c_str(), range_text(grey_).c_str(),
                             range_text(page.grey).c_str()));
        add_image(dataset_.get(), images_, page.samples, place(), chunked);
        if (has_range_per_page_)
            ranges_.push_back(page.grey.value_or(ValueRange{}));
        images_++;
        unflushed_ += plane.size();
        if (unflushed_ >= flush_bytes || Clock::now() - flushed_ >= options_.flush_interval)
            flush();
    }

    // Without the library's lock: it may take a while.
    void learn_facts() {
        if (!facts_ && options_.facts)
            facts_ = options_.facts();
    }

    static std::string range_text(const std::optional<ValueRange> &range) {
        return range ? text("%g to %g", range->minimum, range->maximum) : "themselves";
    }

    // Beside the dataset of this name; those of an older one are removed.
    void write_ranges(const std::string &name) {
        if (!dataset_)
            return;
        reserve(2 * sizeof(double) * ranges_.size());
        hdf5_write_ranges(file_.get(), dataset_.get(), name, ranges_);
    }

    std::string partial_dataset() const { return partial_name(target_.dataset); }

    // Where the images are while they are written.
    std::string place() const {
        if (continues_ || (in_place_ && has_name_))
            return target_.text();
        if (in_place_)
            return target_.file + ":" + partial_dataset();
        return partial_name(target_.file) + ":" + target_.dataset;
    }

    void create_new() {
        const auto partial = partial_name(target_.file);
        try {
            // Claimed, tried and let go: the library has locks of its own.
            const auto claim = claim_partial(target_.file);
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

    // What an interrupted run left of a new file.
    void reopen_partial() {
        const auto partial = partial_name(target_.file);
        claim_partial(target_.file, true);
        if (!was_begun(partial)) {
            create_new();
            return;
        }
        file_ = hdf5_open(partial, true);
        if (hdf5_look_up(file_.get(), target_.dataset).next.empty())
            open_dataset(target_.dataset);
    }

    void open_existing() {
        file_ = hdf5_open(target_.file, true);
        const auto node = hdf5_look_up(file_.get(), target_.dataset);
        const bool is_all = node.next.empty();
        using Kind = Hdf5Node::Kind;
        if (!is_all && (node.kind == Kind::Dataset || node.kind == Kind::Other))
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("cannot write '%s': '%s' is a dataset, so nothing can be inside; name another place",
                     target_.text().c_str(), node.existing.c_str()));
        if (is_all && node.kind != Kind::Dataset)
            throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                        text("cannot write '%s': '%s' is a group%s; name a dataset in it",
                             target_.text().c_str(), target_.dataset.c_str(),
                             node.kind == Kind::Other ? " or a type" : ""));
        if (node.kind == Kind::Dangling && node.next != target_.dataset)
            throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                        text("cannot write '%s': '%s' is a link to something that can't be found",
                             target_.text().c_str(), node.next.c_str()));
        first_new_ = node.kind == Kind::Missing ? node.next : target_.dataset;
        if (existing_ == Existing::Resume && hdf5_look_up(file_.get(), partial_dataset()).next.empty()) {
            made_partial_ = true;
            open_dataset(partial_dataset());
            return;
        }
        continues_ = existing_ != Existing::Replace && is_all;
        if (continues_)
            open_dataset(target_.dataset);
    }

    void open_dataset(const std::string &name) {
        const auto where = "cannot continue '" + target_.file + ":" + name + "': ";
        dataset_ = Hdf5Handle(hdf5_check(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT),
                                         GST_RESOURCE_ERROR_OPEN_WRITE, where + "it can't be opened"),
                              H5Dclose);
        const Hdf5Handle space(H5Dget_space(dataset_.get()), H5Sclose);
        const auto shape = hdf5_shape(dataset_.get());
        hsize_t limits[H5S_MAX_RANK] = {};
        H5Sget_simple_extent_dims(space.get(), nullptr, limits);
        if (shape.size() != 3 || limits[0] != H5S_UNLIMITED)
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                where +
                    text("its shape (%s) is not that of images, rows and columns, or the number of images "
                         "is fixed; write another dataset",
                         hdf5_shape_text(shape).c_str()));
        const Hdf5Handle stored(H5Dget_type(dataset_.get()), H5Tclose);
        const auto memory = hdf5_memory_type(stored.get());
        // Byte order apart, the type must be the one that we would write.
        const Hdf5Handle here(H5Tcopy(stored.get()), H5Tclose);
        if (H5Tget_class(here.get()) != H5T_COMPOUND && H5Tget_class(here.get()) != H5T_ENUM)
            H5Tset_order(here.get(), H5Tget_order(H5T_NATIVE_INT));
        if (memory.format == GST_TOMO_FORMAT_UNKNOWN ||
            H5Tequal(here.get(), hdf5_type_of(memory.format).get()) <= 0 ||
            shape[1] > std::numeric_limits<unsigned>::max() ||
            shape[2] > std::numeric_limits<unsigned>::max())
            throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                        where + text("it holds %s, which no stream has; write another dataset",
                                     hdf5_describe_type(stored.get()).c_str()));
        image_ = ArrayInfo(memory.format, static_cast<unsigned>(shape[2]), static_cast<unsigned>(shape[1]));
        sample_type_ = hdf5_type_of(image_.format);
        images_ = images_before_ = images_flushed_ = shape[0];
        grey_ = hdf5_range_of(dataset_.get());
    }

    void begin(const Page &page) {
        image_ = page.info;
        sample_type_ = hdf5_type_of(image_.format);
        reserve(0);
        if (facts_)
            reserve(2 * (facts_->pipeline.size() + facts_->folder.size()));
        dataset_ = create_dataset(in_place_ ? partial_dataset() : target_.dataset);
        if (facts_)
            hdf5_sign_dataset(dataset_.get(), *facts_);
        if (page.grey && !has_range_per_page_)
            hdf5_set_range(dataset_.get(), *page.grey);
        grey_ = has_range_per_page_ ? std::nullopt : page.grey;
        flush();
    }

    // Throws where the disk has no room for these bytes and the structures they need, behind samples that are
    // still to come.
    void reserve(std::uint64_t bytes, std::uint64_t samples_before = 0) {
        hsize_t end = 0;
        void *descriptor = nullptr;
        const auto access = hdf5_file_access();
        if (H5Fget_filesize(file_.get(), &end) < 0 ||
            H5Fget_vfd_handle(file_.get(), access.get(), &descriptor) < 0 ||
            end + samples_before + bytes + structure_bytes <= reserved_)
            return;
        const auto reserved = bytes + 2 * structure_bytes;
        reserve_space(*static_cast<int *>(descriptor), end + samples_before, reserved, place());
        reserved_ = end + samples_before + reserved;
    }

    // Its final length, too.
    void sync_file() const {
        const auto name = in_place_ ? target_.file : partial_name(target_.file);
        const FileDescriptor file(options_.fsync ? open(name.c_str(), O_RDONLY | O_CLOEXEC) : -1);
        if (options_.fsync && (!file || !sync_to_disk(file.get())))
            throw system_error("write", name, errno, cannot_write);
    }

    void close_file() {
        const bool is_closed = file_.close();
        if (const int error = hdf5_close_error())
            throw system_error("write", place(), error, cannot_write);
        if (!is_closed)
            throw hdf5_error(cannot_write, told(place()));
    }

    Hdf5Handle create_dataset(const std::string &name) {
        const auto row_bytes = std::uint64_t{image_.width} * image_.sample_size();
        if (row_bytes > std::numeric_limits<std::uint32_t>::max()) // HDF5's limit of a chunk
            throw Error(GST_STREAM_ERROR_FORMAT, text("'%s': a row of %u samples is too wide for HDF5",
                                                      target_.text().c_str(), image_.width));
        const auto where = "cannot create '" + target_.file + ":" + name + "'";
        const hsize_t extent[] = {0, image_.height, image_.width};
        const hsize_t limit[] = {H5S_UNLIMITED, image_.height, image_.width};
        const hsize_t chunk[] = {1, chunk_layout(image_, options_.deflate).rows, image_.width};
        const Hdf5Handle space(H5Screate_simple(3, extent, limit), H5Sclose);
        const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
        hdf5_check(H5Pset_chunk(creation.get(), 3, chunk), cannot_write, where);
        if (options_.deflate) {
            hdf5_check(H5Pset_shuffle(creation.get()), cannot_write, where);
            hdf5_check(H5Pset_deflate(creation.get(), options_.deflate), cannot_write, where);
        }
        H5Pset_create_intermediate_group(links.get(), 1);
        // What an earlier run left.
        if (in_place_ && hdf5_look_up(file_.get(), name).next.empty())
            hdf5_check(H5Ldelete(file_.get(), name.c_str(), H5P_DEFAULT), cannot_write, where);
        Hdf5Handle created(hdf5_check(H5Dcreate2(file_.get(), name.c_str(), sample_type_.get(), space.get(),
                                                 links.get(), creation.get(), H5P_DEFAULT),
                                      cannot_write, where),
                           H5Dclose);
        made_partial_ = in_place_;
        return created;
    }

    bool set_images(hid_t dataset, std::uint64_t images) const {
        const hsize_t extent[] = {images, image_.height, image_.width};
        return H5Dset_extent(dataset, extent) >= 0;
    }

    // Cuts a dataset to its whole images. The library still remembers the place of a chunk that it could not
    // write, and fails to remove it; a dataset that was opened anew does not.
    void trim() {
        const auto name = in_place_ && !continues_ ? partial_dataset() : target_.dataset;
        dataset_.close();
        dataset_ = Hdf5Handle(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
        if (dataset_)
            set_images(dataset_.get(), images_);
    }

    // Whether an image of a dataset is a row of chunks as this writer makes them, of samples as they lie in
    // memory.
    bool image_is_chunks(hid_t dataset) {
        const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
        const Hdf5Handle stored(H5Dget_type(dataset), H5Tclose);
        hsize_t chunk[3] = {};
        if (H5Pget_layout(creation.get()) != H5D_CHUNKED || H5Pget_chunk(creation.get(), 3, chunk) != 3 ||
            chunk[0] != 1 || chunk[2] != image_.width || H5Tequal(stored.get(), sample_type_.get()) <= 0)
            return false;
        layout_ = {static_cast<unsigned>(chunk[1]), 0};
        const int filters = H5Pget_nfilters(creation.get());
        if (filters == 0)
            return true;
        unsigned flags, level = 0, config;
        std::size_t values = 1;
        if (filters != 2 ||
            H5Pget_filter2(creation.get(), 0, &flags, nullptr, nullptr, 0, nullptr, &config) !=
                H5Z_FILTER_SHUFFLE ||
            H5Pget_filter2(creation.get(), 1, &flags, &values, &level, 0, nullptr, &config) !=
                H5Z_FILTER_DEFLATE)
            return false;
        layout_.level = level;
        return true;
    }

    // Past the library's cache: there an image that can't be written stays, and the file can never be closed.
    bool write_chunks(hid_t dataset, std::uint64_t image, const void *data, const ChunkedPage *chunked) {
        ChunkedPage cut;
        if (!chunked || !(chunked->layout == layout_)) {
            cut = cut_into_chunks(image_, data, layout_);
            chunked = &cut;
        }
        for (const auto &chunk : chunked->chunks) {
            const hsize_t first[] = {image, chunk.row, 0};
            if (H5Dwrite_chunk(dataset, H5P_DEFAULT, chunk.filters_left_out, first, chunk.bytes, chunk.data) <
                0)
                return false;
        }
        return true;
    }

    void add_image(hid_t dataset, std::uint64_t image, const void *data, const std::string &where,
                   const ChunkedPage *chunked = nullptr) {
        const bool is_chunks = image_is_chunks(dataset);
        if (is_chunks)
            reserve(0, image_.size());
        else
            reserve(image_.size());
        bool written = set_images(dataset, image + 1);
        if (written && is_chunks) {
            written = write_chunks(dataset, image, data, chunked);
        } else if (written) {
            const hsize_t extent[] = {image_.height, image_.width};
            const Hdf5Handle from(H5Screate_simple(2, extent, nullptr), H5Sclose);
            const auto to = hdf5_select_image(dataset, image, 0, image_.height, 1);
            written =
                to && H5Dwrite(dataset, sample_type_.get(), from.get(), to.get(), H5P_DEFAULT, data) >= 0;
        }
        if (!written)
            throw hdf5_error(cannot_write, told(where));
    }

    // Gives a continued dataset its old length; what came new is kept beside it.
    Remains move_new_images() {
        const auto images = images_ - images_before_;
        Remains remains{0, target_.file + ":" + partial_dataset(), images};
        if (images > 0 && dataset_) {
            try {
                const auto partial = create_dataset(partial_dataset());
                const hsize_t extent[] = {image_.height, image_.width};
                const Hdf5Handle to(H5Screate_simple(2, extent, nullptr), H5Sclose);
                std::vector<unsigned char> image(image_.size());
                for (; remains.lost > 0; remains.images++, remains.lost--) {
                    const auto from = hdf5_select_image(dataset_.get(), images_before_ + remains.images, 0,
                                                        image_.height, 1);
                    if (H5Dread(dataset_.get(), sample_type_.get(), to.get(), from.get(), H5P_DEFAULT,
                                image.data()) < 0)
                        break;
                    add_image(partial.get(), remains.images, image.data(), partial_dataset());
                }
            } catch (const Error &) {
                // A full disk. The dataset as it was goes before these images.
            }
            if (made_partial_) {
                const Hdf5Handle partial(H5Dopen2(file_.get(), partial_dataset().c_str(), H5P_DEFAULT),
                                         H5Dclose);
                set_images(partial.get(), remains.images);
            }
        }
        if (dataset_)
            set_images(dataset_.get(), images_before_);
        return remains;
    }

    // Of a dataset without images, and groups made for it.
    void remove_traces() {
        const auto partial = partial_dataset();
        if (made_partial_)
            H5Ldelete(file_.get(), partial.c_str(), H5P_DEFAULT);
        if (first_new_ != target_.dataset && H5Lexists(file_.get(), first_new_.c_str(), H5P_DEFAULT) > 0)
            H5Ldelete(file_.get(), first_new_.c_str(), H5P_DEFAULT);
    }

    void flush() {
        hdf5_check(H5Fflush(file_.get(), H5F_SCOPE_LOCAL), cannot_write, told(place()));
        images_flushed_ = images_;
        unflushed_ = 0;
        flushed_ = Clock::now();
    }

    Location target_;
    const Existing existing_;
    const WriteOptions options_;
    const bool has_range_per_page_;
    std::optional<ValueRange> grey_; // of all images
    std::vector<ValueRange> ranges_; // or of each
    std::optional<ResultFacts> facts_;
    ChunkLayout layout_;
    bool in_place_ = false;  // the file exists already
    bool continues_ = false; // so does the dataset, and it is to grow
    bool has_name_ = false;  // the dataset, or in a new file that of the future
    bool has_given_up_ = false;
    bool made_partial_ = false; // there is a DATASET.partial of ours
    std::string first_new_;     // the first part of the dataset's path that did not exist
    Hdf5Handle file_;
    Hdf5Handle dataset_;
    Hdf5Handle sample_type_;
    ArrayInfo image_;
    std::uint64_t images_ = 0, images_before_ = 0; // whole images in the dataset, now and at first
    std::uint64_t reserved_ = 0;                   // the disk has room up to this byte of the file
    std::uint64_t images_flushed_ = 0;
    std::uint64_t unflushed_ = 0;
    Clock::time_point flushed_ = Clock::now();
};

} // namespace

std::unique_ptr<FileWriter> create_hdf5_file(const Location &location, Existing existing,
                                             const WriteOptions &options) {
    return std::make_unique<Hdf5File>(location, existing, options);
}

bool hdf5_target_exists(const Location &location) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(location.file, ignored)) // the library would wait for a pipe
        return false;
    const Hdf5Lock lock;
    if (!was_begun(location.file))
        return false;
    const auto file = hdf5_open(location.file, false);
    return hdf5_look_up(file.get(), location.dataset).next.empty();
}

} // namespace tomo::io

#endif // HAVE_HDF5
