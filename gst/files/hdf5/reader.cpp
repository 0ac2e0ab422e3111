// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// HDF5, read only. A dataset with two dimensions is one page; one with three holds pages along the first;
// more dimensions are accepted before these where their extent is 1.

#ifdef HAVE_HDF5

#include "direct.hpp"
#include "filters.hpp"
#include "objects.hpp"
#include "types.hpp"
#include "virtual.hpp"
#include <gst/files/image-reader.hpp>
#include <gst/files/input-file.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <unistd.h>

namespace tomo::io {

namespace {

class Hdf5Reader final : public ImageReader {
  public:
    // `depth` counts the virtual datasets that led here.
    Hdf5Reader(const Location &location, const RowRegion &rows, bool follow, unsigned depth = 0)
        : location_(location), rows_(rows), follow_(follow), depth_(depth) {
        const Hdf5Lock lock;
        file_ = hdf5_open(location.file, false);
        open_dataset(H5P_DEFAULT);
        check_shape();
        check_type();
        check_storage();
        check_external_files();
        find_chunks();
        parts_ = hdf5_virtual_parts(dataset_.get());
        if (!follow || parts_.empty())
            check_virtual_sources();
        direct_ = Hdf5Direct::open(dataset_.get(), sample_);
        if (!direct_) {
            check_filters();
            widen_chunk_cache();
        }
        is_live_ = hdf5_is_live(dataset_.get());
        if (!is_live_ && !direct_) {
            const Hdf5Handle file(H5Iget_file_id(dataset_.get()), H5Fclose);
            H5Fget_eoa(file.get(), &end_);
            stored_in_ = std::make_unique<InputFile>(hdf5_file_of(dataset_.get()));
        }
        if (is_live_)
            dataset_.close(); // see hdf5_open_dataset()
        if (is_live_ && direct_)
            direct_->follow([this] { return reopen(); });
    }

    bool has_page(std::size_t page) override {
        if (page >= pages_ && is_live_) {
            const Hdf5Lock lock;
            const auto shape = hdf5_shape(reopen().get());
            pages_ = shape.size() > 2 ? shape[shape.size() - 3] : 1;
        }
        return page < pages_;
    }
    bool is_stored(std::size_t page) override {
        if (const auto *part = part_of(page)) {
            auto *source = open_source(*part);
            const auto there = part->in_source(page);
            return source && source->has_page(there) && source->is_stored(there);
        }
        if (!is_live_)
            return has_page(page);
        if (!direct_ || !direct_->is_chunked())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where() + " can't be followed while it is written: only datasets in chunks without "
                                  "filters, or compressed by deflate, LZ4 or bitshuffle, tell which images "
                                  "are there; read it when it is closed");
        if (!has_page(page) || !direct_->is_stored(page))
            return false;
        // Of a chunk with several images nobody knows how many are in it, until the next one has begun.
        const auto together = direct_->images_per_chunk(), next = (page / together + 1) * together;
        return together == 1 || (has_page(next) && direct_->is_stored(next)) ||
               !io::is_being_written(data_file()).value_or(false);
    }
    std::optional<bool> is_being_written() override {
        if (parts_.empty())
            return io::is_being_written(data_file());
        std::optional<bool> marked;
        std::string last;
        for (const auto &part : parts_) {
            if (part.file == last)
                continue;
            last = part.file;
            const auto path = part.path();
            if (path.empty())
                return true; // to come
            if (const auto mark = io::is_being_written(path))
                marked = marked.value_or(false) || *mark;
        }
        return marked;
    }
    std::size_t pages() override { return pages_; }

    ArrayInfo info(std::size_t page) override {
        return ArrayInfo(sample_.format, width_, rows_.rows_of(height_, where(page)));
    }

    void read(std::size_t page, void *destination, std::size_t bytes) override {
        const auto wanted = info(page);
        check_destination(wanted, bytes, where(page));
        read_part(page, {rows_, 0, 0}, destination, wanted.width * wanted.sample_size());
    }

    // Of the whole page, whatever rows read() gives.
    void read_part(std::size_t page, const Part &part, void *destination, std::size_t row_stride) override {
        const auto wanted = part.of(ArrayInfo(sample_.format, width_, height_), where(page));
        if (page >= pages_)
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + text(": there are only %" G_GUINT64_FORMAT " pages", pages_));
        const auto step = part.rows.step;
        const RowRegion rows{part.rows.first, (wanted.height - 1) * step + 1, step};
        if (const auto *source = part_of(page))
            if (auto *reader = reader_of(*source, page))
                return reader->read_part(source->in_source(page), part, destination, row_stride);
        if (direct_)
            return direct_->read(page, rows, part.first_column, wanted.width, destination, row_stride);
        const std::size_t row_bytes = wanted.width * wanted.sample_size();
        if (row_stride == row_bytes)
            return read_by_library(page, rows, part.first_column, wanted, destination);
        std::vector<char> packed(wanted.size());
        read_by_library(page, rows, part.first_column, wanted, packed.data());
        for (unsigned y = 0; y < wanted.height; y++)
            std::memcpy(static_cast<char *>(destination) + y * row_stride, packed.data() + y * row_bytes,
                        row_bytes);
    }

    // Those of a virtual dataset are its first source's.
    std::uint64_t rows_per_chunk() override {
        auto *source = first_source();
        return source ? source->rows_per_chunk() : chunk_rows_;
    }
    std::uint64_t pages_per_chunk() override {
        auto *source = first_source();
        return source ? source->pages_per_chunk() : chunk_pages_;
    }
    std::uint64_t columns_per_chunk() override {
        auto *source = first_source();
        return source ? source->columns_per_chunk() : chunk_columns_;
    }
    bool opens_many_files() override {
        std::set<std::string> files;
        for (const auto &part : parts_)
            files.insert(part.file);
        return files.size() > most_sources;
    }

  private:
    Hdf5Handle reopen() const {
        auto fresh = hdf5_open_dataset(file_.get(), location_.dataset);
        if (!fresh)
            throw hdf5_error(GST_RESOURCE_ERROR_READ, where() + " can't be opened again");
        return fresh;
    }

    void read_by_library(std::size_t page, const RowRegion &rows, unsigned first_column,
                         const ArrayInfo &wanted, void *destination) {
        const Hdf5Lock lock;
        const auto fresh = is_live_ ? reopen() : Hdf5Handle();
        const hid_t dataset = is_live_ ? fresh.get() : dataset_.get();
        const auto from = hdf5_select_image(dataset, page, rows.first, wanted.height, rows.step, first_column,
                                            wanted.width);
        const hsize_t extent[] = {wanted.height, wanted.width};
        const Hdf5Handle to(H5Screate_simple(2, extent, nullptr), H5Sclose);
        if (!from || !to ||
            H5Dread(dataset, sample_.type.get(), to.get(), from.get(), H5P_DEFAULT, destination) < 0)
            throw hdf5_error(GST_RESOURCE_ERROR_READ, where(page) + " can't be read");
        check_length(page);
    }

    // The library takes what is behind the end for zeros, and looks at the length when it opens a file only.
    void check_length(std::size_t page) {
        if (!stored_in_)
            return;
        stored_in_->refresh_size();
        if (stored_in_->size() < end_)
            throw Error(GST_RESOURCE_ERROR_READ,
                        where(page) + text(": '%s' was truncated while it was read, to %" G_GUINT64_FORMAT
                                           " of %" G_GUINT64_FORMAT " bytes",
                                           stored_in_->path().c_str(), stored_in_->size(),
                                           std::uint64_t{end_}));
    }

    // The file in which the images are, which a link may have led to.
    std::string data_file() const {
        const Hdf5Lock lock;
        const auto fresh = is_live_ ? reopen() : Hdf5Handle();
        return hdf5_file_of(is_live_ ? fresh.get() : dataset_.get());
    }

    // Of a virtual dataset, the part with this image. What is mapped later counts.
    const Hdf5VirtualPart *part_of(std::uint64_t page) const {
        const auto part = std::find_if(parts_.rbegin(), parts_.rend(), [&](const Hdf5VirtualPart &p) {
            return p.has(page);
        });
        return part == parts_.rend() ? nullptr : &*part;
    }

    // The reader of a part's images; null where its file is still to come.
    Hdf5Reader *open_source(const Hdf5VirtualPart &part) {
        const auto path = part.path();
        for (const auto &source : sources_)
            if (source->location_.file == path && source->location_.dataset == part.dataset)
                return source.get();
        constexpr unsigned deepest = 16;
        if (depth_ == deepest)
            throw Error(GST_STREAM_ERROR_DECODE,
                        where() + " is a virtual dataset whose sources are virtual in turn, without end");
        if (path.empty() && follow_)
            return nullptr;
        if (path.empty())
            missing_source("'" + part.file + "'");
        if (sources_.size() == most_sources)
            sources_.erase(sources_.begin());
        try {
            sources_.push_back(
                std::make_unique<Hdf5Reader>(Location{path, part.dataset}, RowRegion{}, follow_, depth_ + 1));
        } catch (const NotYet &) {
            if (follow_)
                return nullptr;
            throw;
        }
        return sources_.back().get();
    }

    // Null where this one has samples of its own.
    Hdf5Reader *first_source() { return parts_.empty() ? nullptr : open_source(parts_.front()); }

    // The reader of the source in which the image is as it is here; null where only the library can make it
    // of what is there.
    Hdf5Reader *reader_of(const Hdf5VirtualPart &part, std::size_t page) {
        auto *source = open_source(part);
        const auto there = part.in_source(page);
        if (!source || !source->has_page(there))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where(page) + text(" is to come from '%s:%s', page %" G_GUINT64_FORMAT
                                           ", which is not there",
                                           part.file.c_str(), part.dataset.c_str(), std::uint64_t{there}));
        const auto info = source->info(there);
        if (info == ArrayInfo(sample_.format, width_, height_))
            return source;
        if (source->is_live_ || part.path(true).empty())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        where(page) + text(" is to come from %s, which holds images of %s",
                                           source->where(there).c_str(), info.describe().c_str()));
        return nullptr;
    }

    [[noreturn]] void missing_source(const std::string &source) const {
        throw Error(
            GST_RESOURCE_ERROR_NOT_FOUND,
            text("%s is a virtual dataset, and its source %s can't be found; put it there or beside '%s'",
                 where().c_str(), source.c_str(), location_.file.c_str()));
    }

    // The library takes what is missing for fill values.
    void check_virtual_sources() {
        const auto missing = hdf5_missing_source(dataset_.get());
        if (!missing.empty())
            missing_source(missing);
    }

    std::string where() const { return "'" + location_.text() + "'"; }
    std::string where(std::size_t page) const { return where() + text(", page %" G_GSIZE_FORMAT, page); }

    void open_dataset(hid_t access) {
        if (location_.dataset.empty())
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s': no dataset is named, write it behind a colon as in file.h5:/entry/data; %s",
                     location_.file.c_str(), hdf5_list_datasets(file_.get()).c_str()));
        const auto node = hdf5_look_up(file_.get(), location_.dataset);
        switch (node.kind) {
        case Hdf5Node::Kind::Dangling:
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                        text("%s: '%s' is a link to something that can't be found (a file that was moved?)",
                             where().c_str(), node.next.c_str()));
        case Hdf5Node::Kind::Dataset:
            if (node.next.empty())
                break;
            [[fallthrough]];
        default:
            const auto problem =
                node.kind == Hdf5Node::Kind::Group && node.next.empty()
                    ? text("'%s' is a group, not a dataset", location_.dataset.c_str())
                    : text("there is no '%s'", (node.next.empty() ? location_.dataset : node.next).c_str());
            throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                        text("'%s': %s; %s", location_.file.c_str(), problem.c_str(),
                             hdf5_list_datasets(file_.get()).c_str()));
        }
        dataset_ = hdf5_open_dataset(file_.get(), location_.dataset, access);
        hdf5_check(dataset_.get(), GST_RESOURCE_ERROR_OPEN_READ, where() + " can't be opened");
    }

    void check_shape() {
        const auto shape = hdf5_shape(dataset_.get());
        const auto said = hdf5_shape_text(shape);
        const auto rank = shape.size();
        if (rank < 2 || std::any_of(shape.begin(), shape.end() - std::min<std::ptrdiff_t>(rank, 3),
                                    [](hsize_t extent) { return extent != 1; }))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s has %" G_GSIZE_FORMAT
                             " dimension%s (%s); images need two (rows, columns) or three "
                             "(images, rows, columns)",
                             where().c_str(), rank, rank == 1 ? "" : "s", said.c_str()));
        Hdf5Shape most(rank);
        const Hdf5Handle space(H5Dget_space(dataset_.get()), H5Sclose);
        H5Sget_simple_extent_dims(space.get(), nullptr, most.data());
        for (std::size_t i = 0; i < rank; i++)
            if (most[i] < shape[i]) // the library would take one chunk for another
                throw Error(GST_STREAM_ERROR_DECODE,
                            text("%s is damaged: it has grown to %s, and may not beyond %s", where().c_str(),
                                 said.c_str(), hdf5_shape_text(most).c_str()));
        if (std::find(shape.begin(), shape.end(), 0) != shape.end())
            throw NotYet(GST_STREAM_ERROR_FORMAT,
                         text("%s holds no image (%s)", where().c_str(), said.c_str()));
        if (shape[rank - 1] > std::numeric_limits<unsigned>::max() ||
            shape[rank - 2] > std::numeric_limits<unsigned>::max())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s has images that are too large (%s)", where().c_str(), said.c_str()));
        width_ = static_cast<unsigned>(shape[rank - 1]);
        height_ = static_cast<unsigned>(shape[rank - 2]);
        pages_ = rank > 2 ? shape[rank - 3] : 1;
        rows_.rows_of(height_, where());
    }

    void check_type() {
        const Hdf5Handle stored(H5Dget_type(dataset_.get()), H5Tclose);
        if (stored)
            sample_ = hdf5_memory_type(stored.get());
        if (sample_.format == GST_TOMO_FORMAT_UNKNOWN)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("%s holds %s; images are integers, floats, booleans, or complex as a compound of two "
                     "floats r and i",
                     where().c_str(), stored ? hdf5_describe_type(stored.get()).c_str() : "an unknown type"));
    }

    void check_filters() {
        const Hdf5Handle creation(H5Dget_create_plist(dataset_.get()), H5Pclose);
        const int filters = creation ? H5Pget_nfilters(creation.get()) : 0;
        for (int i = 0; i < filters; i++) {
            char name[128] = "";
            unsigned flags = 0;
            std::size_t values = 0;
            const auto filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &values,
                                               nullptr, sizeof name, name, nullptr);
            if (filter >= 0 && H5Zfilter_avail(filter) > 0)
                continue;
            H5Eclear2(H5E_DEFAULT);
            const auto packages = hdf5_packages_of_filter(filter);
            throw Error(
                GST_STREAM_ERROR_CODEC_NOT_FOUND,
                text("%s is compressed by filter %d (%s), which is not installed here; install %s and "
                     "start again%s",
                     where().c_str(), filter, *name ? name : "without a name",
                     packages.empty() ? "its HDF5 plugin" : packages.c_str(),
                     packages.empty() ? ", with HDF5_PLUGIN_PATH naming the plugin's folder" : ""));
        }
    }

    void find_chunks() {
        const Hdf5Handle creation(H5Dget_create_plist(dataset_.get()), H5Pclose);
        Hdf5Shape chunk(hdf5_shape(dataset_.get()).size());
        const auto rank = static_cast<int>(chunk.size());
        if (!creation || H5Pget_layout(creation.get()) != H5D_CHUNKED ||
            H5Pget_chunk(creation.get(), rank, chunk.data()) < 0)
            return;
        chunk_columns_ = chunk[rank - 1];
        if (H5Pget_nfilters(creation.get()) == 0)
            return;
        chunk_rows_ = chunk[rank - 2];
        chunk_pages_ = rank > 2 ? chunk[rank - 3] : 1;
    }

    void check_storage() {
        std::uint64_t image;
        if (!multiply({width_, height_, gst_tomo_format_get_size(sample_.format)}, image))
            image = std::numeric_limits<std::uint64_t>::max();
        hdf5_check_storage(dataset_.get(), image, where());
    }

    // The library looks for them in the current folder, and takes what they lack for zeros.
    void check_external_files() {
        const Hdf5Handle creation(H5Dget_create_plist(dataset_.get()), H5Pclose);
        const int count = creation ? H5Pget_external_count(creation.get()) : 0;
        const Hdf5Handle type(H5Dget_type(dataset_.get()), H5Tclose);
        std::uint64_t left = H5Tget_size(type.get());
        for (const auto extent : hdf5_shape(dataset_.get()))
            left *= extent;
        for (int i = 0; i < count; i++) {
            char name[4096] = "";
            off_t offset = 0;
            hsize_t bytes = 0;
            H5Pget_external(creation.get(), static_cast<unsigned>(i), sizeof name - 1, name, &offset, &bytes);
            const InputFile file(name);
            const auto needed = std::min<std::uint64_t>(bytes, left);
            left -= needed;
            if (static_cast<std::uint64_t>(offset) > file.size() ||
                needed > file.size() - static_cast<std::uint64_t>(offset))
                throw Error(GST_RESOURCE_ERROR_READ,
                            text("'%s', in which %s has its samples, is truncated: it has %" G_GUINT64_FORMAT
                                 " bytes, %" G_GUINT64_FORMAT " are needed",
                                 name, where().c_str(), file.size(), std::uint64_t{offset + needed}));
        }
    }

    // Where a chunk holds parts of several images, it is kept until the last of them was read instead of
    // being decoded for each.
    void widen_chunk_cache() {
        constexpr std::uint64_t default_bytes = 1 << 20, most_bytes = 1 << 29;
        const Hdf5Handle creation(H5Dget_create_plist(dataset_.get()), H5Pclose);
        const auto rank = hdf5_shape(dataset_.get()).size();
        if (!creation || rank < 3 || H5Pget_layout(creation.get()) != H5D_CHUNKED)
            return;
        Hdf5Shape chunk(rank);
        if (H5Pget_chunk(creation.get(), static_cast<int>(rank), chunk.data()) < 0 || chunk[rank - 3] == 1)
            return;
        const Hdf5Handle stored(H5Dget_type(dataset_.get()), H5Tclose);
        const auto chunks = ((height_ - 1) / chunk[rank - 2] + 1) * ((width_ - 1) / chunk[rank - 1] + 1);
        std::uint64_t bytes;
        if (!multiply({chunks, chunk[rank - 3], chunk[rank - 2], chunk[rank - 1], H5Tget_size(stored.get())},
                      bytes) ||
            bytes <= default_bytes || bytes > most_bytes)
            return;
        const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
        H5Pset_chunk_cache(access.get(), 10 * chunks + 1, bytes, 0.75);
        // An open dataset keeps the cache that it has.
        dataset_.close();
        open_dataset(access.get());
    }

    static constexpr std::size_t most_sources = 16; // that are open

    Location location_;
    RowRegion rows_;
    const bool follow_;
    const unsigned depth_;
    Hdf5Handle file_;
    Hdf5Handle dataset_;
    bool is_live_ = false; // somebody may write to it
    Hdf5SampleType sample_;
    std::vector<Hdf5VirtualPart> parts_;   // of a virtual dataset
    std::vector<std::unique_ptr<Hdf5Reader>> sources_; // of those that were read lately
    std::unique_ptr<Hdf5Direct> direct_;   // where it goes without the library
    std::unique_ptr<InputFile> stored_in_; // where it does not
    haddr_t end_ = 0;                      // of what the library counts as that file
    unsigned width_ = 0, height_ = 0;
    std::uint64_t pages_ = 0;
    std::uint64_t chunk_rows_ = 1, chunk_pages_ = 1; // that are decompressed together
    std::uint64_t chunk_columns_ = 0;                // that are stored together; 0: all
};

} // namespace

std::unique_ptr<ImageReader> open_hdf5_reader(const Location &location, const RowRegion &rows, bool follow) {
    return std::make_unique<Hdf5Reader>(location, rows, follow);
}

} // namespace tomo::io

#endif // HAVE_HDF5
