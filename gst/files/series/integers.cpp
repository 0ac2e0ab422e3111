// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "integers.hpp"
#include "writer.hpp"
#include <gst/files/image-reader.hpp>
#include <gst/files/number-pattern.hpp>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <utility>

namespace tomo::io {

bool needs_all_images(const WriteOptions &options) {
    return options.bits != 32 && options.rescale && !options.range_per_image &&
           !(options.minimum && options.maximum);
}

void check_integers(const WriteOptions &options) {
    if (options.bits != 8 && options.bits != 16 && options.bits != 32)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, text("bits is %u; it must be 8, 16 or 32", options.bits));
    for (const auto &limit : {options.minimum, options.maximum})
        if (limit && !std::isfinite(*limit))
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "minimum and maximum must be finite numbers");
    if (options.minimum && options.maximum && !(*options.minimum < *options.maximum))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("minimum (%g) must be less than maximum (%g)", *options.minimum, *options.maximum));
}

namespace {

// Turns samples into integers by a range that is known before, or that each image has.
class IntegerWriter final : public ImageWriter {
  public:
    IntegerWriter(std::unique_ptr<ImageWriter> target, const WriteOptions &options)
        : target_(std::move(target)), options_(options) {}

    void write(const ImageToWrite &image) override {
        if (options_.rgb) {
            write_page(image);
            return;
        }
        for (unsigned i = 0; i < image.info().depth; i++)
            write_page(image.plane(i));
    }
    void settle() override { target_->settle(); }

    std::uint64_t images_there(const ArrayInfo &info) override {
        return target_->images_there(info.with_format(integer_format()));
    }
    void skip(const ArrayInfo &info, std::uint64_t images) override {
        target_->skip(info.with_format(integer_format()), images);
    }

    void finish() override {
        target_->finish();
        if (options_.count_missing)
            *missing_ += options_.count_missing();
        if (*missing_ > 0 && options_.warn)
            options_.warn(
                text("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                     " samples are not a number (NaN), which integers can't say: they became 0. Mend "
                     "them before, or write bits=32",
                     missing_->load(), samples_));
    }
    std::string abandon() noexcept override { return target_->abandon(); }

  private:
    GstTomoFormat integer_format() const { return GreyMapping{options_.bits, options_.rescale, {}}.format(); }

    void write_page(const ImageToWrite &page) {
        if (!std::exchange(has_told_range_, true) && options_.tell_range)
            if (const auto range = common_range(options_))
                options_.tell_range({options_.bits, true, *range});
        samples_ += page.info().samples();
        if (page.came_as_grey()) {
            target_->write(page);
            return;
        }
        const auto convert = [info = page.info(), options = options_, missing = missing_](const void *from,
                                                                                          void *to) {
            GreyMapping mapping{options.bits, options.rescale, {}};
            if (options.rescale) {
                if (!options.minimum || !options.maximum)
                    mapping.range.include(info, from);
                mapping.range = range_of(options.minimum, options.maximum, mapping.range);
            }
            *missing += mapping.apply(info, from, to);
            return mapping.grey();
        };
        target_->write(page.converted(page.info().with_format(integer_format()), convert));
    }

    std::unique_ptr<ImageWriter> target_;
    WriteOptions options_;
    bool has_told_range_ = false;
    std::uint64_t samples_ = 0;
    std::shared_ptr<std::atomic<std::uint64_t>> missing_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

// Integers by the range of all images: keeps them beside the target as they come, and converts them at the
// end.
class StreamRangeWriter final : public ImageWriter {
  public:
    StreamRangeWriter(const Location &location, FileType type, const WriteOptions &options)
        : store_type_(store_type(type)), options_(options), target_(open_target(location, type, options)) {
        options_.type = type;
        // "out-%05i.tif" keeps beside itself "out-00000.tif.unscaled.tif".
        store_.file = SeriesNames(location, type, options).ahead(0).file + ".unscaled" +
                      (store_type_ == FileType::Tiff   ? ".tif"
                       : store_type_ == FileType::Hdf5 ? ".h5"
                                                       : ".raw");
        store_.dataset = store_type_ == FileType::Hdf5 ? "/data" : "";
    }

    ~StreamRangeWriter() override { abandon(); }

    void write(const ImageToWrite &image) override {
        range_.include(image.info(), image.samples());
        if (!images_) {
            WriteOptions store;
            store.resume = options_.resume;
            store.pyramid = WriteOptions::Pyramid::No;
            store.most_bytes_under_way = options_.most_bytes_under_way;
            store.fsync = options_.fsync;
            store.report = options_.report;
            const auto info =
                image.info().with_format(GreyMapping{options_.bits, options_.rescale, {}}.format());
            target_->begin(options_.rgb ? info : info.with_size(info.width, info.height, 1));
            if (!store.resume)
                remove_store();
            images_ = std::make_unique<SeriesWriter>(
                Location{escape_pattern(store_.file, folder_of(store_).size()), store_.dataset}, store_type_,
                store);
        }
        stored_ = image.info();
        images_->write(image);
    }

    void settle() override {
        if (images_)
            images_->settle();
    }

    void finish() override {
        if (!images_)
            return;
        images_->finish();
        images_.reset();
        unconverted_ = true;
        const auto range = range_of(options_.minimum, options_.maximum, range_);
        auto options = options_;
        options.minimum = range.minimum;
        options.maximum = range.maximum;
        target_->set_range(range);
        IntegerWriter integers(std::move(target_), options);
        ReadOptions how;
        how.type = store_type_;
        how.raw.width = stored_.width;
        how.raw.height = stored_.height;
        how.raw.format = stored_.format;
        {
            const auto reader = open_reader(store_.text(), how);
            const unsigned together = options_.rgb ? 3 : 1;
            for (std::size_t page = 0; reader->has_page(page); page += together) {
                const auto info = reader->info(page);
                const std::shared_ptr<unsigned char[]> image(new unsigned char[info.size() * together]);
                for (unsigned plane = 0; plane < together; plane++)
                    reader->read(page + plane, image.get() + plane * info.size(), info.size());
                integers.write(ImageToWrite(info.with_size(info.width, info.height, together),
                                            [image]() -> ImageToWrite::Samples { return image; }));
            }
        }
        integers.finish();
        unconverted_ = false;
        remove_store();
    }

    std::string abandon() noexcept override {
        if (images_) {
            const auto kept = images_->abandon();
            images_.reset();
            return kept.empty() ? kept : kept + ", not yet converted to integers";
        }
        return unconverted_ ? "all images are kept in '" + store_.text() + "', not yet converted to integers"
                            : "";
    }

  private:
    // Raw files can't tell images of different sizes apart.
    static FileType store_type(FileType target) {
#ifdef HAVE_TIFF
        return target == FileType::Hdf5 || target == FileType::Raw ? target : FileType::Tiff;
#else
        return target == FileType::Hdf5 ? target : FileType::Raw;
#endif
    }

    void remove_store() const {
        std::error_code ignored; // if it can't be removed, it can't be written either, and that is told
        std::filesystem::remove(store_.file, ignored);
    }

    FileType store_type_;
    WriteOptions options_;
    std::unique_ptr<ImageTarget> target_;
    Location store_;
    std::unique_ptr<ImageWriter> images_;
    ValueRange range_;
    ArrayInfo stored_; // shape of the images
    bool unconverted_ = false;
};

// Where the file has no place for what its integers stand for, a person has to note it.
void warn_of_lost_range(const Location &location, WriteOptions &options) {
    if (!options.rescale || !options.warn || (options.minimum && options.maximum))
        return;
    const auto advice = text("'%s' has no place for that: note it, or write TIFF or HDF5, which say it",
                             location.file.c_str());
    if (options.range_per_image)
        options.warn("each image has a range of values of its own, and " + advice);
    else
        options.tell_range = [tell = options.tell_range, warn = options.warn,
                              advice](const GreyMapping &mapping) {
            if (tell)
                tell(mapping);
            if (mapping.range.is_empty())
                return;
            warn(text("integers 0 to %u stand for values from %g to %g, and ", (1u << mapping.bits) - 1,
                      mapping.range.minimum, mapping.range.maximum) +
                 advice);
        };
}

} // namespace

std::unique_ptr<ImageWriter> convert_to_integers(std::unique_ptr<ImageWriter> target,
                                                 const WriteOptions &options) {
    return std::make_unique<IntegerWriter>(std::move(target), options);
}

std::unique_ptr<ImageWriter> open_integer_writer(const Location &location, FileType type,
                                                 WriteOptions options) {
    if (type == FileType::Raw || type == FileType::Npy)
        warn_of_lost_range(location, options);
    if (needs_all_images(options))
        return std::make_unique<StreamRangeWriter>(location, type, options);
    return std::make_unique<IntegerWriter>(open_target(location, type, options), options);
}

} // namespace tomo::io
