// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "image-dataset.hpp"
#include "types.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tomo::io {

namespace {

constexpr auto cannot_write = GST_RESOURCE_ERROR_WRITE;

Hdf5Handle make_dataset(hid_t file, const std::string &name, hid_t type, const ArrayInfo &image,
                        const ChunkLayout &layout, const std::string &where) {
    const auto row_bytes = std::uint64_t{image.width} * image.sample_size();
    if (row_bytes > std::numeric_limits<std::uint32_t>::max()) // HDF5's limit of a chunk
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("'%s': a row of %u samples is too wide for HDF5", where.c_str(), image.width));
    const auto told = "cannot create '" + where + "'";
    const hsize_t extent[] = {0, image.height, image.width};
    const hsize_t limit[] = {H5S_UNLIMITED, image.height, image.width};
    const hsize_t chunk[] = {layout.sizes.images, layout.sizes.rows, layout.sizes.columns};
    const Hdf5Handle space(H5Screate_simple(3, extent, limit), H5Sclose);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    hdf5_check(H5Pset_chunk(creation.get(), 3, chunk), cannot_write, told);
    if (layout.level) {
        hdf5_check(H5Pset_shuffle(creation.get()), cannot_write, told);
        hdf5_check(H5Pset_deflate(creation.get(), layout.level), cannot_write, told);
    }
    H5Pset_create_intermediate_group(links.get(), 1);
    return Hdf5Handle(hdf5_check(H5Dcreate2(file, name.c_str(), type, space.get(), links.get(),
                                            creation.get(), H5P_DEFAULT),
                                 cannot_write, told),
                      H5Dclose);
}

// Throws where no images can be added to such a dataset.
ArrayInfo images_of(hid_t dataset, const std::string &where) {
    const auto told = "cannot continue '" + where + "': ";
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const auto shape = hdf5_shape(dataset);
    hsize_t limits[H5S_MAX_RANK] = {};
    H5Sget_simple_extent_dims(space.get(), nullptr, limits);
    if (shape.size() != 3 || limits[0] != H5S_UNLIMITED)
        throw Error(
            GST_RESOURCE_ERROR_OPEN_WRITE,
            told + text("its shape (%s) is not that of images, rows and columns, or the number of images is "
                        "fixed; write another dataset",
                        hdf5_shape_text(shape).c_str()));
    const Hdf5Handle stored(H5Dget_type(dataset), H5Tclose);
    const auto memory = hdf5_memory_type(stored.get());
    // Byte order apart, the type must be the one that we would write.
    const Hdf5Handle here(H5Tcopy(stored.get()), H5Tclose);
    if (H5Tget_class(here.get()) != H5T_COMPOUND && H5Tget_class(here.get()) != H5T_ENUM)
        H5Tset_order(here.get(), H5Tget_order(H5T_NATIVE_INT));
    if (memory.format == GST_TOMO_FORMAT_UNKNOWN ||
        H5Tequal(here.get(), hdf5_type_of(memory.format).get()) <= 0 ||
        shape[1] > std::numeric_limits<unsigned>::max() || shape[2] > std::numeric_limits<unsigned>::max())
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    told + text("it holds %s, which no stream has; write another dataset",
                                hdf5_describe_type(stored.get()).c_str()));
    return ArrayInfo(memory.format, static_cast<unsigned>(shape[2]), static_cast<unsigned>(shape[1]));
}

} // namespace

ImageDataset::ImageDataset(hid_t file, const std::string &name, const ArrayInfo &image,
                           const ChunkLayout &layout, const std::string &where)
    : sample_type_(hdf5_type_of(image.format)), image_(image) {
    dataset_ = make_dataset(file, name, sample_type_.get(), image, layout, where);
    has_own_chunks_ = find_own_chunks();
}

ImageDataset::ImageDataset(hid_t file, const std::string &name, const std::string &where)
    : dataset_(hdf5_check(H5Dopen2(file, name.c_str(), H5P_DEFAULT), GST_RESOURCE_ERROR_OPEN_WRITE,
                          "cannot continue '" + where + "': it can't be opened"),
               H5Dclose),
      image_(images_of(dataset_.get(), where)) {
    sample_type_ = hdf5_type_of(image_.format);
    images_ = stored_ = hdf5_shape(dataset_.get())[0];
    has_own_chunks_ = find_own_chunks();
}

bool ImageDataset::find_own_chunks() {
    const Hdf5Handle creation(H5Dget_create_plist(dataset_.get()), H5Pclose);
    const Hdf5Handle stored(H5Dget_type(dataset_.get()), H5Tclose);
    hsize_t chunk[3] = {};
    if (H5Pget_layout(creation.get()) != H5D_CHUNKED || H5Pget_chunk(creation.get(), 3, chunk) != 3 ||
        H5Tequal(stored.get(), sample_type_.get()) <= 0)
        return false;
    layout_ = {
        {static_cast<unsigned>(chunk[0]), static_cast<unsigned>(chunk[1]), static_cast<unsigned>(chunk[2])},
        0};
    const int filters = H5Pget_nfilters(creation.get());
    if (filters == 0)
        return true;
    unsigned flags, level = 0, config;
    std::size_t values = 1;
    if (filters != 2 ||
        H5Pget_filter2(creation.get(), 0, &flags, nullptr, nullptr, 0, nullptr, &config) !=
            H5Z_FILTER_SHUFFLE ||
        H5Pget_filter2(creation.get(), 1, &flags, &values, &level, 0, nullptr, &config) != H5Z_FILTER_DEFLATE)
        return false;
    layout_.level = level;
    return true;
}

bool ImageDataset::set_extent(std::uint64_t images) const {
    const hsize_t extent[] = {images, image_.height, image_.width};
    return H5Dset_extent(dataset_.get(), extent) >= 0;
}

void ImageDataset::add(const void *samples, const ChunkedPage *chunked, const std::string &told) {
    if (!set_extent(images_ + 1) ||
        !(has_own_chunks_ ? write_image(samples, chunked) : write_samples(samples)))
        throw hdf5_error(cannot_write, told);
    stored_before_ = stored_;
    stored_ = ++images_;
}

bool ImageDataset::write_image(const void *samples, const ChunkedPage *chunked) const {
    if (chunked && chunked->layout == layout_)
        return write_chunks(images_, *chunked);
    return write_chunks(images_, cut_into_chunks(image_, samples, layout_));
}

// Past the library's cache: there an image that can't be written stays, and the file can never be closed.
bool ImageDataset::write_chunks(std::uint64_t first_image, const ChunkedPage &chunks) const {
    for (const auto &chunk : chunks.chunks) {
        const hsize_t first[] = {first_image, chunk.row, chunk.column};
        if (H5Dwrite_chunk(dataset_.get(), H5P_DEFAULT, chunk.filters_left_out, first, chunk.bytes,
                           chunk.data) < 0)
            return false;
    }
    return true;
}

bool ImageDataset::put(const void *samples, const std::string &told) {
    if (!group_) {
        const Hdf5Lock lock;
        if (!open_group(images_))
            throw hdf5_error(GST_RESOURCE_ERROR_READ, told);
    }
    group_->put_by_threads(static_cast<unsigned>(images_ % layout_.sizes.images), samples);
    return ++images_ % layout_.sizes.images == 0;
}

// With the images in front of this one that belong to the same chunks.
bool ImageDataset::open_group(std::uint64_t images) {
    const auto &sizes = layout_.sizes;
    auto group = std::make_unique<ChunkGroup>(image_, sizes.rows, sizes.columns, sizes.images,
                                              hdf5_file_of(dataset_.get()));
    std::vector<unsigned char> image(image_.size());
    for (auto i = begin_of_group(images); i < images; i++) {
        if (!read(i, image.data()))
            return false;
        group->put(static_cast<unsigned>(i % sizes.images), image.data());
    }
    read_ = {};
    group_ = std::move(group);
    return true;
}

ChunkedPage ImageDataset::chunks_of_group() {
    if (const auto rest = static_cast<unsigned>(images_ % layout_.sizes.images); rest > 0)
        group_->clear_from(rest);
    return chunks_of(*group_, image_, layout_);
}

void ImageDataset::add_group(const ChunkedPage &chunks, const std::string &told) {
    if (!set_extent(images_) || !write_chunks(begin_of_group(images_ - 1), chunks))
        throw hdf5_error(cannot_write, told);
    stored_before_ = stored_;
    stored_ = images_;
}

void ImageDataset::forget_last() {
    images_ = stored_ = stored_before_;
    group_.reset();
}

void ImageDataset::forget_group() {
    images_ = stored_;
    group_.reset();
}

static Hdf5Handle space_of(const ArrayInfo &image) {
    const hsize_t extent[] = {image.height, image.width};
    return {H5Screate_simple(2, extent, nullptr), H5Sclose};
}

bool ImageDataset::write_samples(const void *samples) const {
    const auto from = space_of(image_);
    const auto to = hdf5_select_image(dataset_.get(), images_, 0, image_.height, 1);
    return to &&
           H5Dwrite(dataset_.get(), sample_type_.get(), from.get(), to.get(), H5P_DEFAULT, samples) >= 0;
}

bool ImageDataset::read_stored(std::uint64_t first, std::uint64_t images, void *samples) const {
    const hsize_t begin[] = {first, 0, 0}, extent[] = {images, image_.height, image_.width};
    const Hdf5Handle from(H5Dget_space(dataset_.get()), H5Sclose),
        to(H5Screate_simple(3, extent, nullptr), H5Sclose);
    return H5Sselect_hyperslab(from.get(), H5S_SELECT_SET, begin, nullptr, extent, nullptr) >= 0 &&
           H5Dread(dataset_.get(), sample_type_.get(), to.get(), from.get(), H5P_DEFAULT, samples) >= 0;
}

bool ImageDataset::read(std::uint64_t image, void *samples) {
    if (!is_grouped())
        return read_stored(image, 1, samples);
    if (image >= stored_) {
        group_->get(static_cast<unsigned>(image % layout_.sizes.images), samples);
        return true;
    }
    // All images of the chunks, which would be decompressed for each of them.
    const auto first = begin_of_group(image),
               images = std::min<std::uint64_t>(layout_.sizes.images, stored_ - first);
    if (first_read_ != first || read_.size() != images * image_.size()) {
        read_.resize(images * image_.size());
        first_read_ = first;
        if (!read_stored(first, images, read_.data())) {
            read_ = {};
            return false;
        }
    }
    std::memcpy(samples, read_.data() + (image - first) * image_.size(), image_.size());
    return true;
}

// Images that fill no whole chunk wait in the group, so that the library has nothing to write.
bool ImageDataset::cut(std::uint64_t images) {
    if (is_grouped() && images < stored_) {
        group_.reset();
        if (begin_of_group(images) < images && !open_group(images))
            return false;
        images_ = images;
        stored_ = begin_of_group(images);
        read_ = {};
        return set_extent(stored_);
    }
    group_.reset();
    images_ = stored_ = images;
    return set_extent(images);
}

bool ImageDataset::cut_to_whole_images(hid_t file, const std::string &name) {
    dataset_.close();
    dataset_ = Hdf5Handle(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
    return dataset_ && set_extent(stored_);
}

} // namespace tomo::io

#endif // HAVE_HDF5
