// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-writer.hpp"
#include "file-writer.hpp"
#include "grey-mapping.hpp"
#include "image-reader.hpp"
#include "number-pattern.hpp"
#include "output-file.hpp"

#include <cmath>
#include <filesystem>
#include <vector>

namespace tomo::io {

namespace {

// Distributes pages over the files that the name and the options ask for.
class SeriesWriter final : public ImageWriter {
  public:
    SeriesWriter(const Location &location, FileType type, const WriteOptions &options)
        : claim_(location.text()), pattern_(location.text()), type_(type), options_(options),
          number_(options.counter_start) {
        if (options.counter_step == 0)
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "counter-step is 0; the numbers of files must differ");
        if (!pattern_.has_number() && options.bytes_per_file != 0)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("bytes-per-file is %" G_GUINT64_FORMAT
                             ", but the file name '%s' has no place for a number; "
                             "put one in, such as %%05i",
                             options.bytes_per_file, location.text().c_str()));
        if (type == FileType::Hdf5 && location.dataset.empty())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s': no dataset is named; write it behind a colon as in %s:/entry/data/data",
                             location.file.c_str(), location.file.c_str()));
    }

    ~SeriesWriter() override { abandon(); }

    void write(const ArrayInfo &info, const void *data) override {
        const auto plane = info.with_size(info.width, info.height, 1);
        for (unsigned i = 0; i < info.depth; i++)
            write_page(plane, static_cast<const char *>(data) + i * plane.size());
    }

    void finish() override { close_file(); }

    std::string abandon() noexcept override {
        const auto file = std::move(file_);
        if (!file)
            return {};
        try {
            const auto remains = file->abandon();
            std::string said;
            if (remains.images > 0)
                said = text("%" G_GUINT64_FORMAT " whole image%s kept in '%s'", remains.images,
                            remains.images == 1 ? " is" : "s are", remains.place.c_str());
            if (remains.lost > 0)
                said +=
                    text("%s%" G_GUINT64_FORMAT " could not be kept", said.empty() ? "" : ", ", remains.lost);
            return said;
        } catch (const std::exception &e) {
            g_warning("cannot keep what was written: %s", e.what());
        }
        return {};
    }

  private:
    void write_page(const ArrayInfo &page, const void *data) {
        if (page.samples() == 0 || page.sample_size() == 0)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("an image of %s can't be written", page.describe().c_str()));
        const bool full = bytes_ > 0 && pattern_.has_number() &&
                          (page.size() > options_.bytes_per_file ||
                           bytes_ > options_.bytes_per_file - page.size() || !file_->has_room(page));
        if (full)
            close_file();
        if (!file_)
            open_file();
        file_->write(page, data);
        bytes_ += page.size();
        // A single image is complete and gets its name now.
        if (options_.bytes_per_file == 0 && pattern_.has_number())
            close_file();
    }

    void open_file() {
        auto location = current();
        while (options_.append && pattern_.has_number() && is_taken(location)) {
            number_ += options_.counter_step;
            location = current();
        }
        number_ += options_.counter_step;
        const bool continues = options_.append && !pattern_.has_number();
        switch (type_) {
#ifdef HAVE_TIFF
        case FileType::Tiff:
            file_ = create_tiff_file(location.file, continues, options_.big_tiff);
            return;
#endif
#ifdef HAVE_HDF5
        case FileType::Hdf5:
            file_ = create_hdf5_file(location, continues);
            return;
#endif
        case FileType::Raw:
            file_ = create_raw_file(location.file, continues);
            return;
        default:
            throw not_built_in(type_, location.file);
        }
    }

    void close_file() {
        if (file_)
            file_->finish();
        file_.reset();
        bytes_ = 0;
    }

    Location current() const { return split_location(pattern_.name(number_), type_); }

    bool is_taken(const Location &location) const {
#ifdef HAVE_HDF5
        if (type_ == FileType::Hdf5)
            return hdf5_target_exists(location);
#endif
        std::error_code ignored;
        return std::filesystem::exists(location.file, ignored);
    }

    NameClaim claim_;
    NumberPattern pattern_;
    FileType type_;
    WriteOptions options_;
    std::uint64_t number_;
    std::unique_ptr<FileWriter> file_;
    std::uint64_t bytes_ = 0; // of images in the file
};

class OutputStream final : public ImageWriter {
  public:
    void write(const ArrayInfo &info, const void *data) override { output_->write(info, data); }
    void finish() override { output_->finish(); }
    std::string abandon() noexcept override { return {}; }

  private:
    std::unique_ptr<FileWriter> output_ = write_raw_to_standard_output();
};

// Turns samples into integers by a range that is known before, or that each image has.
class IntegerWriter final : public ImageWriter {
  public:
    IntegerWriter(std::unique_ptr<ImageWriter> target, const WriteOptions &options)
        : target_(std::move(target)), options_(options) {}

    void write(const ArrayInfo &info, const void *data) override {
        const auto plane = info.with_size(info.width, info.height, 1);
        for (unsigned i = 0; i < info.depth; i++)
            write_page(plane, static_cast<const char *>(data) + i * plane.size());
    }

    void finish() override { target_->finish(); }
    std::string abandon() noexcept override { return target_->abandon(); }

  private:
    void write_page(const ArrayInfo &page, const void *data) {
        GreyMapping mapping{options_.bits, options_.rescale, {}};
        if (options_.rescale) {
            if (!options_.minimum || !options_.maximum)
                mapping.range.include(page, data);
            mapping.range.minimum = options_.minimum.value_or(mapping.range.minimum);
            mapping.range.maximum = options_.maximum.value_or(mapping.range.maximum);
        }
        const auto integers = page.with_format(mapping.format());
        buffer_.resize(integers.size());
        mapping.apply(page, data, buffer_.data());
        target_->write(integers, buffer_.data());
    }

    std::unique_ptr<ImageWriter> target_;
    WriteOptions options_;
    std::vector<unsigned char> buffer_;
};

// Integers by the range of all images: keeps them beside the target as they come, and converts them at the
// end.
class StreamRangeWriter final : public ImageWriter {
  public:
    StreamRangeWriter(const Location &location, FileType type, const WriteOptions &options)
        : target_path_(location.text()), type_(type), options_(options),
          target_(std::make_unique<SeriesWriter>(location, type, options)) {
        options_.type = type;
        // "out-%05i.tif" keeps beside itself "out-00000.tif.unscaled.tif".
        store_.file = split_location(NumberPattern(target_path_).name(options.counter_start), type).file +
                      ".unscaled" +
                      (type == FileType::Tiff   ? ".tif"
                       : type == FileType::Hdf5 ? ".h5"
                                                : ".raw");
        store_.dataset = type == FileType::Hdf5 ? "/data" : "";
    }

    ~StreamRangeWriter() override { abandon(); }

    void write(const ArrayInfo &info, const void *data) override {
        range_.include(info, data);
        if (!images_) {
            remove_store();
            images_ = std::make_unique<SeriesWriter>(escaped_store(), type_, WriteOptions());
        }
        stored_ = info;
        images_->write(info, data);
    }

    void finish() override {
        if (!images_)
            return;
        images_->finish();
        images_.reset();
        unconverted_ = true;
        auto options = options_;
        options.minimum = options_.minimum.value_or(range_.minimum);
        options.maximum = options_.maximum.value_or(range_.maximum);
        IntegerWriter integers(std::move(target_), options);
        ReadOptions how;
        how.type = type_;
        how.raw = {stored_.width, stored_.height, stored_.format, 0, 0};
        {
            const auto reader = open_reader(store_.text(), how);
            std::vector<unsigned char> image;
            for (std::size_t page = 0; reader->has_page(page); page++) {
                const auto info = reader->info(page);
                image.resize(info.size());
                reader->read(page, image.data(), image.size());
                integers.write(info, image.data());
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
    void remove_store() const {
        std::error_code ignored; // if it can't be removed, it can't be written either, and that is told
        std::filesystem::remove(store_.file, ignored);
    }

    // The name of the store is a name, not a pattern.
    Location escaped_store() const {
        auto escaped = store_;
        escaped.file.clear();
        for (const char c : store_.file)
            escaped.file += c == '%' ? "%%" : std::string(1, c);
        return escaped;
    }

    std::string target_path_;
    FileType type_;
    WriteOptions options_;
    std::unique_ptr<ImageWriter> target_;
    Location store_;
    std::unique_ptr<ImageWriter> images_;
    ValueRange range_;
    ArrayInfo stored_; // shape of the images
    bool unconverted_ = false;
};

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

} // namespace

std::unique_ptr<ImageWriter> open_writer(const std::string &path, const WriteOptions &options) {
    check_integers(options);
    const bool needs_range = options.bits != 32 && options.rescale && !options.range_per_image &&
                             !(options.minimum && options.maximum);
    if (path.empty()) {
        if (needs_range)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("bits=%u to standard output needs a minimum and a maximum, or a range for each image: "
                     "there is no place to keep all images until their range is known",
                     options.bits));
        auto output = std::make_unique<OutputStream>();
        if (options.bits == 32)
            return output;
        return std::make_unique<IntegerWriter>(std::move(output), options);
    }

    const auto location = split_location(path, options.type);
    std::error_code ignored;
    if (location.file.back() == '/' || std::filesystem::is_directory(location.file, ignored))
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': it is a folder; name a file in it", location.file.c_str()));
    const auto type = require_type(location.file, options.type);
#ifndef HAVE_TIFF
    if (type == FileType::Tiff)
        throw not_built_in(type, location.file);
#endif
#ifndef HAVE_HDF5
    if (type == FileType::Hdf5)
        throw not_built_in(type, location.file);
#endif
    if (needs_range)
        return std::make_unique<StreamRangeWriter>(location, type, options);
    auto target = std::make_unique<SeriesWriter>(location, type, options);
    if (options.bits == 32)
        return target;
    return std::make_unique<IntegerWriter>(std::move(target), options);
}

} // namespace tomo::io
