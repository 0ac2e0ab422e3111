// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "writer.hpp"
#include <gst/files/share-work.hpp>
#include <gst/files/zarr/writer.hpp>
#ifdef HAVE_HDF5
#include <gst/files/hdf5/parts.hpp>
#endif

#include <algorithm>
#include <utility>

namespace tomo::io {

SeriesWriter::SeriesWriter(const Location &location, FileType type, const WriteOptions &options)
    : claim_(location.text()), names_(location, type, options), maker_(type, options, names_.is_series()),
      one_page_each_(names_.is_series() && options.bytes_per_file == 0 && type != FileType::Hdf5),
      length_(options.length) {
    check_format(location, type, options);
    if (names_.is_series() && !options.chunks.empty())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s': chunks is %s, but each file of a series holds images of its own; leave out "
                         "chunks, or write one FILE.h5:/dataset",
                         location.text().c_str(), options.chunks.c_str()));
    if (options.append && options.resume)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    "both append and resume are set; append puts new images behind those that are there, "
                    "resume takes those for the first of the new ones");
    if (one_page_each_)
        files_ = std::make_unique<FilesOfOnePage>(names_, maker_);
    else
        files_ = std::make_unique<FilesOfManyPages>(names_, maker_);
}

void SeriesWriter::write(const ImageToWrite &image) {
    if (options().rgb) {
        plan(image.interleaved(), false);
        return;
    }
    for (unsigned i = 0; i < image.info().depth; i++)
        plan(image.plane(i), false);
}

// Where somebody has ended the stream before the first page comes, pages are made of what came before. Those
// of a stream that is ended later are whole, but lack some behind them.
void SeriesWriter::begin(const ArrayInfo &page) {
    if (has_begun_)
        return;
    names_.claim(page);
    has_begun_ = true;
    if (names_.is_series() && length_ && length_().is_interrupted)
        maker_.mark_as_incomplete();
}

void SeriesWriter::plan(const ImageToWrite &page, bool is_there) {
    const auto &info = page.info();
    if (info.samples() == 0 || info.sample_size() == 0)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("an image of %s can't be written", info.describe().c_str()));
    begin(info);
    if (!work_)
        work_ = std::make_unique<OrderedWork>(options().threads ? options().threads : threads_for_writing(),
                                              options().most_bytes_under_way, options().report);
    work_->add(files_->job(page, is_there), is_there ? 0 : page.bytes_in_memory());
}

void SeriesWriter::settle() {
    if (work_)
        work_->settle();
}

// A page of an array: the whole of it in colour, else a plane.
static ArrayInfo page_info(const ArrayInfo &info, bool rgb) {
    return rgb ? info : info.with_size(info.width, info.height, 1);
}

std::uint64_t SeriesWriter::images_there(const ArrayInfo &info) {
    if (!options().resume)
        return 0;
    const auto page = page_info(info, options().rgb);
    std::uint64_t pages = 0;
    for (std::uint64_t file = 0;; file++) {
        const auto location = names_.ahead(file);
        if (!target_exists(maker_.type(), location) &&
            (one_page_each_ || !is_partly_there(maker_.type(), location)))
            break;
        const auto there = maker_.make(location, Existing::Resume, page)->resume(page);
        pages += there;
        // Behind a file that has lost its only image there may be whole ones.
        if (!names_.is_series() || (options().bytes_per_file == 0 && there == 0))
            break;
    }
    return pages / (options().rgb ? 1 : info.depth);
}

void SeriesWriter::skip(const ArrayInfo &info, std::uint64_t images) {
    const ImageToWrite page(page_info(info, options().rgb), nullptr);
    for (std::uint64_t i = 0; i < images * (options().rgb ? 1 : info.depth); i++)
        plan(page, true);
}

void SeriesWriter::finish() {
    settle();
    files_->finish();
    if (options().warn)
        names_.tell_of_older_files(options().warn);
    names_.let_go();
}

std::string SeriesWriter::abandon() noexcept {
    work_.reset();
    try {
        const auto remains = files_ ? files_->abandon() : Remains{};
        names_.let_go();
        return describe(remains);
    } catch (const std::exception &e) {
        g_warning("cannot keep the images already written: %s", e.what());
    }
    return {};
}

std::unique_ptr<ImageTarget> open_target(const Location &location, FileType type,
                                         const WriteOptions &options) {
    if (type == FileType::Zarr && options.parts <= 1) {
        const SeriesNames names(location, type, options);
        if (names.is_series() || !location.dataset.empty())
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s': all images of a stream become one image of OME-Zarr with three axes, whose name "
                     "has no number and no dataset; write NAME.ome.zarr",
                     location.text().c_str()));
        return open_zarr_writer(names.ahead(0).file, options);
    }
    if (options.parts <= 1)
        return std::make_unique<SeriesWriter>(location, type, options);
#ifdef HAVE_HDF5
    if (const SeriesNames names(location, type, options); type == FileType::Hdf5 && !names.is_series()) {
        check_format(location, type, options);
        return open_hdf5_parts(names.ahead(0), options, [](const Location &part, const WriteOptions &how) {
            return std::make_unique<SeriesWriter>(part, FileType::Hdf5, how);
        });
    }
#endif
    throw Error(
        GST_RESOURCE_ERROR_SETTINGS,
        text("'%s': parts are %u, but only a dataset of HDF5 has its images in several files; leave parts "
             "out, or write FILE.h5:/dataset",
             location.text().c_str(), options.parts));
}

} // namespace tomo::io
