// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "open-writer.hpp"
#include "file-writer.hpp"
#include <gst/files/memory/images.hpp>
#include <gst/files/series/integers.hpp>
#include <gst/files/series/writer.hpp>

#include <filesystem>

namespace tomo::io {

namespace {

class OutputStream final : public ImageWriter {
  public:
    void write(const ImageToWrite &image) override {
        const auto *samples = image.samples();
        output_->write({image.info(), samples, image.grey()});
    }
    void settle() override {}
    void finish() override { output_->finish(); }
    std::string abandon() noexcept override { return {}; }

  private:
    std::unique_ptr<FileWriter> output_ = write_raw_to_standard_output();
};

// PNG and JPEG: what they have no samples for becomes the widest integers that they have.
class PictureWriter final : public ImageWriter {
  public:
    PictureWriter(const Location &location, FileType type, const WriteOptions &options)
        : location_(location), type_(type), options_(options) {
        SeriesWriter(location, type, options); // throws what is wrong with them
    }

    void write(const ImageToWrite &image) override { target(image.info()).write(image); }
    void settle() override {
        if (target_)
            target_->settle();
    }
    std::uint64_t images_there(const ArrayInfo &info) override { return target(info).images_there(info); }
    void skip(const ArrayInfo &info, std::uint64_t images) override { target(info).skip(info, images); }
    void finish() override {
        if (target_)
            target_->finish();
    }
    std::string abandon() noexcept override { return target_ ? target_->abandon() : ""; }

  private:
    ImageWriter &target(const ArrayInfo &info) {
        if (target_)
            return *target_;
        if (info.format == GST_TOMO_FORMAT_UINT8 ||
            (type_ == FileType::Png && info.format == GST_TOMO_FORMAT_UINT16)) {
            target_ = std::make_unique<SeriesWriter>(location_, type_, options_);
        } else {
            options_.bits = type_ == FileType::Png ? 16 : 8;
            target_ = open_integer_writer(location_, type_, options_);
        }
        return *target_;
    }

    Location location_;
    FileType type_;
    WriteOptions options_;
    std::unique_ptr<ImageWriter> target_;
};

} // namespace

std::unique_ptr<ImageWriter> open_writer(const std::string &path, const WriteOptions &options) {
    check_integers(options);
    if (path.empty()) {
        if (needs_all_images(options))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("bits=%u to standard output needs a minimum and a maximum, or a range for each image: "
                     "there is no place to keep all images until their range is known",
                     options.bits));
        auto output = std::make_unique<OutputStream>();
        if (options.bits == 32)
            return output;
        return convert_to_integers(std::move(output), options);
    }

    if (names_memory(path))
        return open_memory_writer(path, options);
    const auto location = split_location(path, options.type);
    std::error_code ignored;
    const bool is_folder =
        location.file.back() == '/' || std::filesystem::is_directory(location.file, ignored);
    if (is_folder && type_of_suffix(location.file) != FileType::Zarr)
        throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                    text("cannot write '%s': it is a folder; name a file in it", location.file.c_str()));
    const auto type = require_type(location.file, options.type);
    check_format(location, type, options);
    if (options.bits != 32)
        return open_integer_writer(location, type, options);
    if (type == FileType::Png || type == FileType::Jpeg)
        return std::make_unique<PictureWriter>(location, type, options);
    return open_target(location, type, options);
}

} // namespace tomo::io
