// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "image-dataset.hpp"
#include "types.hpp"

#include <limits>

namespace tomo::io {

namespace {

constexpr auto cannot_write = GST_RESOURCE_ERROR_WRITE;

Hdf5Handle make_dataset(hid_t file, const std::string &name, hid_t type, const ArrayInfo &image,
                        unsigned deflate, const std::string &where) {
    const auto row_bytes = std::uint64_t{image.width} * image.sample_size();
    if (row_bytes > std::numeric_limits<std::uint32_t>::max()) // HDF5's limit of a chunk
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("'%s': a row of %u samples is too wide for HDF5", where.c_str(), image.width));
    const auto told = "cannot create '" + where + "'";
    const hsize_t extent[] = {0, image.height, image.width};
    const hsize_t limit[] = {H5S_UNLIMITED, image.height, image.width};
    const hsize_t chunk[] = {1, chunk_layout(image, deflate).rows, image.width};
    const Hdf5Handle space(H5Screate_simple(3, extent, limit), H5Sclose);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    hdf5_check(H5Pset_chunk(creation.get(), 3, chunk), cannot_write, told);
    if (deflate) {
        hdf5_check(H5Pset_shuffle(creation.get()), cannot_write, told);
        hdf5_check(H5Pset_deflate(creation.get(), deflate), cannot_write, told);
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

ImageDataset::ImageDataset(hid_t file, const std::string &name, const ArrayInfo &image, unsigned deflate,
                           const std::string &where)
    : sample_type_(hdf5_type_of(image.format)), image_(image) {
    dataset_ = make_dataset(file, name, sample_type_.get(), image, deflate, where);
    has_own_chunks_ = find_own_chunks();
}

ImageDataset::ImageDataset(hid_t file, const std::string &name, const std::string &where)
    : dataset_(hdf5_check(H5Dopen2(file, name.c_str(), H5P_DEFAULT), GST_RESOURCE_ERROR_OPEN_WRITE,
                          "cannot continue '" + where + "': it can't be opened"),
               H5Dclose),
      image_(images_of(dataset_.get(), where)) {
    sample_type_ = hdf5_type_of(image_.format);
    images_ = hdf5_shape(dataset_.get())[0];
    has_own_chunks_ = find_own_chunks();
}

bool ImageDataset::find_own_chunks() {
    const Hdf5Handle creation(H5Dget_create_plist(dataset_.get()), H5Pclose);
    const Hdf5Handle stored(H5Dget_type(dataset_.get()), H5Tclose);
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
        !(has_own_chunks_ ? write_chunks(samples, chunked) : write_samples(samples)))
        throw hdf5_error(cannot_write, told);
    images_++;
}

// Past the library's cache: there an image that can't be written stays, and the file can never be closed.
bool ImageDataset::write_chunks(const void *samples, const ChunkedPage *chunked) {
    ChunkedPage cut;
    if (!chunked || !(chunked->layout == layout_)) {
        cut = cut_into_chunks(image_, samples, layout_);
        chunked = &cut;
    }
    for (const auto &chunk : chunked->chunks) {
        const hsize_t first[] = {images_, chunk.row, 0};
        if (H5Dwrite_chunk(dataset_.get(), H5P_DEFAULT, chunk.filters_left_out, first, chunk.bytes,
                           chunk.data) < 0)
            return false;
    }
    return true;
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

bool ImageDataset::read(std::uint64_t image, void *samples) const {
    const auto to = space_of(image_);
    const auto from = hdf5_select_image(dataset_.get(), image, 0, image_.height, 1);
    return H5Dread(dataset_.get(), sample_type_.get(), to.get(), from.get(), H5P_DEFAULT, samples) >= 0;
}

bool ImageDataset::cut(std::uint64_t images) {
    images_ = images;
    return set_extent(images);
}

bool ImageDataset::cut_to_whole_images(hid_t file, const std::string &name) {
    dataset_.close();
    dataset_ = Hdf5Handle(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
    return dataset_ && set_extent(images_);
}

} // namespace tomo::io

#endif // HAVE_HDF5
