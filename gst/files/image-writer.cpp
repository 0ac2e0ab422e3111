// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-writer.hpp"
#include "file-writer.hpp"
#include "grey-mapping.hpp"
#include "image-reader.hpp"
#include "number-pattern.hpp"
#include "ordered-work.hpp"
#include "output-file.hpp"
#include <gst/files/hdf5/compress.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

namespace tomo::io {

ImageToWrite::ImageToWrite(const ArrayInfo &info, std::function<Samples()> make)
    : info_(info), shared_(std::make_shared<Shared>()), bytes_in_memory_(info.size()) {
    shared_->make = std::move(make);
}

ImageToWrite::ImageToWrite(const ArrayInfo &info, const void *samples)
    : ImageToWrite(info, [samples] { return Samples(samples, [](const void *) {}); }) {}

const void *ImageToWrite::samples() const {
    // Not std::call_once: an exception that leaves it ends the process.
    const std::lock_guard<std::mutex> lock(shared_->lock);
    if (shared_->make) {
        shared_->samples = shared_->make();
        shared_->make = nullptr; // and what it holds
    }
    return static_cast<const unsigned char *>(shared_->samples.get()) + offset_;
}

ImageToWrite ImageToWrite::plane(unsigned number) const {
    auto plane = *this;
    plane.info_ = info_.with_size(info_.width, info_.height, 1);
    plane.offset_ += number * plane.info_.size();
    plane.bytes_in_memory_ /= info_.depth;
    return plane;
}

std::optional<ValueRange> ImageToWrite::grey() const {
    samples();
    const std::lock_guard<std::mutex> lock(shared_->lock);
    return shared_->grey;
}

ImageToWrite ImageToWrite::converted(const ArrayInfo &to, Convert convert) const {
    ImageToWrite image(to, nullptr);
    image.shared_->make = [from = *this, to, convert = std::move(convert),
                           &grey = image.shared_->grey]() -> Samples {
        const std::shared_ptr<unsigned char[]> samples(new unsigned char[to.size()]);
        grey = convert(from.samples(), samples.get());
        if (!grey)
            grey = from.grey();
        return samples;
    };
    image.bytes_in_memory_ += bytes_in_memory_;
    return image;
}

namespace {

// With the slash behind it; empty where none is named.
std::string folder_of(const Location &location) {
    return location.file.substr(0, location.file.rfind('/') + 1);
}

Page page_of(const ImageToWrite &image) {
    const auto *samples = image.samples();
    return {image.info(), samples, image.grey()};
}

bool looks_like_pattern(const std::string &folder) {
    std::error_code ignored;
    if (folder.empty() || std::filesystem::is_directory(folder, ignored))
        return false;
    try {
        return NumberPattern(folder).has_number();
    } catch (const Error &) { // per cent signs of other kinds
        return false;
    }
}

// Distributes pages over the files that the name and the options ask for.
class SeriesWriter final : public ImageWriter {
  public:
    SeriesWriter(const Location &location, FileType type, const WriteOptions &options)
        : claim_(location.text()), pattern_text_(location.text()), folder_(folder_of(location)),
          pattern_(pattern_text_, folder_.size()), file_pattern_(location.file, folder_.size()), type_(type),
          options_(options), number_(options.counter_start) {
        if (options.counter_step == 0)
            throw Error(GST_RESOURCE_ERROR_SETTINGS, "counter-step is 0; the numbers of files must differ");
        if (!pattern_.has_number() && options.bytes_per_file != 0)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("bytes-per-file is %" G_GUINT64_FORMAT
                             ", but the file name '%s' has no place for a number; "
                             "put one in, such as %%05i",
                             options.bytes_per_file, location.text().c_str()));
        if (!pattern_.has_number() && looks_like_pattern(folder_))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s': there is no folder '%s', and numbers are put into the names of files only; "
                     "write the number into the file's name, or make the folder",
                     location.text().c_str(), folder_.c_str()));
        if (type == FileType::Hdf5 && location.dataset.empty())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s': no dataset is named; write it behind a colon as in %s:/entry/data/data",
                             location.file.c_str(), location.file.c_str()));
        if (type == FileType::Hdf5 && has_range_per_page(options) && (options.append || options.resume))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s': the ranges of images that are there would be lost; set minimum and maximum "
                     "instead of range-per-image, or write TIFF",
                     location.text().c_str()));
        if (pattern_.has_number())
            series_length_ = std::exchange(options_.length, nullptr); // no file holds the whole stream
        if (options.append && options.resume)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        "both append and resume are set; append puts new images behind those that are "
                        "there, resume takes those for the first of the new ones");
        if (options.rgb && type != FileType::Tiff && type != FileType::Png && type != FileType::Jpeg)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("rgb is set, but %s files have no colours; write TIFF, PNG "
                             "or JPEG",
                             type_name(type)));
    }

    ~SeriesWriter() override { abandon(); }

    void write(const ImageToWrite &image) override {
        if (options_.rgb) {
            plan_page(interleaved(image), false);
            return;
        }
        for (unsigned i = 0; i < image.info().depth; i++)
            plan_page(image.plane(i), false);
    }

    void settle() override {
        if (work_)
            work_->settle();
    }

    // Takes the numbers that a stream of such images will need, so that nobody writes some of them before it
    // comes to them. One that appends takes what is free.
    void claim_numbers(const ArrayInfo &page) {
        if (numbers_ || !file_pattern_.has_number())
            return;
        numbers_.emplace(split_location(pattern_text_, type_).file);
        if (options_.append)
            return;
        const auto announced = series_length_ ? series_length_().announced : std::nullopt;
        if (announced)
            claimed_ = files_for(*announced, page.size());
        if (!numbers_->take(number_, options_.counter_step,
                            announced ? std::optional(claimed_) : std::nullopt))
            throw is_another_ones(announced
                                      ? text("; this stream has %" G_GUINT64_FORMAT " of them", claimed_)
                                      : "; nobody knows how many numbers this stream needs");
        if (!announced)
            claimed_ = std::numeric_limits<std::uint64_t>::max();
    }

    // Of the values that integers stand for, before the first image.
    void set_range(const ValueRange &range) {
        options_.minimum = range.minimum;
        options_.maximum = range.maximum;
    }

    std::uint64_t images_there(const ArrayInfo &info) override {
        if (!options_.resume)
            return 0;
        const auto plane = options_.rgb ? info : info.with_size(info.width, info.height, 1);
        std::uint64_t pages = 0;
        for (auto number = number_;; number += options_.counter_step) {
            const auto location = split_location(pattern_.name(number), type_);
            if (!is_taken(location) && (has_own_files() || !is_partly_there(location)))
                break;
            const auto there = make_file(location, Existing::Resume, plane)->resume(plane);
            pages += there;
            // Behind a file that has lost its only image there may be whole ones.
            if (!pattern_.has_number() || (options_.bytes_per_file == 0 && there == 0))
                break;
        }
        return pages / (options_.rgb ? 1 : info.depth);
    }

    void skip(const ArrayInfo &info, std::uint64_t images) override {
        const auto plane = options_.rgb ? info : info.with_size(info.width, info.height, 1);
        const ImageToWrite page(plane, nullptr);
        for (std::uint64_t i = 0; i < images * (options_.rgb ? 1 : info.depth); i++)
            plan_page(page, true);
    }

    void finish() override {
        settle();
        close_file();
        sync_names();
        if (numbers_ && !options_.append && options_.warn)
            tell_of_older_files();
        numbers_.reset();
    }

    std::string abandon() noexcept override {
        work_.reset();
        const auto file = std::move(file_);
        try {
            const auto remains = file ? file->abandon() : std::exchange(left_, {});
            numbers_.reset();
            std::string said;
            if (remains.images > 0)
                said = text("%" G_GUINT64_FORMAT "%s image%s kept in '%s'%s", remains.images,
                            remains.damaged ? "" : " whole", remains.images == 1 ? " is" : "s are",
                            remains.place.c_str(),
                            remains.damaged ? ", but the disk may lack some of the samples" : "");
            if (remains.lost > 0)
                said +=
                    text("%s%" G_GUINT64_FORMAT " could not be kept", said.empty() ? "" : ", ", remains.lost);
            return said;
        } catch (const std::exception &e) {
            g_warning("cannot keep the images already written: %s", e.what());
        }
        return {};
    }

  private:
    // A page of a file with others: its samples can be made, and compressed, before its turn.
    class SharedFilePage final : public OrderedWork::Job {
      public:
        SharedFilePage(SeriesWriter &series, const ImageToWrite &page, bool is_there)
            : series_(series), page_(page), is_there_(is_there) {}
        void work() override {
            if (is_there_)
                return;
            page_.samples();
#ifdef HAVE_HDF5
            const auto &info = page_.info();
            const unsigned level = series_.options_.deflate;
            if (series_.type_ == FileType::Hdf5 && level > 0)
                chunked_ = std::make_unique<ChunkedPage>(
                    cut_into_chunks(info, page_.samples(), chunk_layout(info, level)));
#endif
        }
        void run_in_order() override { series_.add_page(page_, is_there_, chunked_.get()); }

      private:
        SeriesWriter &series_;
        const ImageToWrite page_;
        const bool is_there_;
        std::unique_ptr<ChunkedPage> chunked_;
    };

    // A file system lets one thread at a time write to a file, so that many files go faster than one. Their
    // names, which others may wait for, appear in order.
    class OwnFilePage final : public OrderedWork::Job {
      public:
        OwnFilePage(SeriesWriter &series, const Location &location, const ImageToWrite &page, bool is_there)
            : series_(series), location_(location), page_(page), is_there_(is_there) {}

        ~OwnFilePage() override {
            if (!file_)
                return;
            Remains remains;
            try {
                remains = file_->abandon();
            } catch (const std::exception &e) {
                g_warning("cannot keep the images already written: %s", e.what());
            }
            const std::lock_guard<std::mutex> lock(series_.left_lock_);
            if (series_.left_.images == 0)
                series_.left_.place = remains.place;
            series_.left_.images += remains.images;
            series_.left_.damaged |= remains.damaged;
        }

        void work() override {
            // What has no name yet may lack something.
            if (series_.options_.resume)
                remove_partial(location_.file);
            const auto existing =
                series_.options_.resume && series_.is_taken(location_) ? Existing::Resume : Existing::Replace;
            file_ = series_.make_single_file(location_, existing, page_.info());
            const bool found = existing == Existing::Resume && file_->resume(page_.info()) > 0;
            if (!found && is_there_)
                throw not_there();
            if (!found)
                file_->write(page_of(page_));
            else if (!is_there_)
                check_page(*file_, location_, 0, page_);
            file_->complete();
        }

        void run_in_order() override {
            file_->publish();
            file_.reset();
            series_.note_name(location_);
        }

      private:
        SeriesWriter &series_;
        const Location location_;
        const ImageToWrite page_;
        const bool is_there_;
        std::unique_ptr<SingleFile> file_;
    };

    void plan_page(const ImageToWrite &page, bool is_there) {
        const auto &info = page.info();
        if (info.samples() == 0 || info.sample_size() == 0)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("an image of %s can't be written", info.describe().c_str()));
        if (!work_)
            work_ = std::make_unique<OrderedWork>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u),
                                                  options_.most_bytes_under_way, options_.report);
        std::unique_ptr<OrderedWork::Job> job;
        if (has_own_files())
            job = std::make_unique<OwnFilePage>(*this, next_location(info), page, is_there);
        else
            job = std::make_unique<SharedFilePage>(*this, page, is_there);
        work_->add(std::move(job), is_there ? 0 : page.bytes_in_memory());
    }

    void add_page(const ImageToWrite &image, bool is_there, const ChunkedPage *chunked) {
        const auto &page = image.info();
        const bool full =
            bytes_ > 0 && pattern_.has_number() &&
            (page.size() > options_.bytes_per_file || bytes_ > options_.bytes_per_file - page.size() ||
             (at_ >= there_ && !file_->has_room(page)));
        if (full)
            close_file();
        if (!file_)
            open_file(page);
        if (at_ >= there_ && is_there)
            throw not_there();
        if (at_ >= there_ && chunked)
            file_->write_chunked(page_of(image), *chunked);
        else if (at_ >= there_)
            file_->write(page_of(image));
        else if (!is_there)
            check_page(*file_, opened_, at_, image);
        at_++;
        bytes_ += page.size();
        // A single image is complete and gets its name now.
        if (options_.bytes_per_file == 0 && pattern_.has_number())
            close_file();
    }

    static Error not_there() {
        return Error(GST_RESOURCE_ERROR_FAILED, "an image to be left out is not there");
    }

    static void check_page(FileWriter &file, const Location &location, std::uint64_t number,
                           const ImageToWrite &image) {
        if (!file.holds(number, page_of(image)))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' can't be resumed: its image %" G_GUINT64_FORMAT
                     " (counted from 0) is not what comes now; the interrupted run had other input or "
                     "settings. Remove it, write to another file, or set resume=false",
                     location.text().c_str(), number));
    }

    // Planes of red, green and blue become pixels of these.
    static ImageToWrite interleaved(const ImageToWrite &image) {
        const auto &info = image.info();
        if (info.depth != 3)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("rgb is set, but %s come instead of three planes", info.describe().c_str()));
        return image.converted(info, [info](const void *from, void *to) {
            const auto size = info.sample_size();
            const auto pixels = info.samples() / 3;
            for (unsigned plane = 0; plane < 3; plane++)
                for (std::uint64_t i = 0; i < pixels; i++)
                    std::memcpy(static_cast<char *>(to) + (3 * i + plane) * size,
                                static_cast<const char *>(from) + (plane * pixels + i) * size, size);
            return std::nullopt;
        });
    }

    // Those behind the last one that was written, which a reader of the pattern would take for its next ones.
    void tell_of_older_files() const {
        namespace fs = std::filesystem;
        const auto last = number_ - options_.counter_step;
        std::uint64_t count = 0, first = std::numeric_limits<std::uint64_t>::max();
        std::error_code error;
        for (fs::directory_iterator entry(folder_.empty() ? "." : folder_, error), end;
             !error && entry != end; entry.increment(error)) {
            const auto file = folder_ + entry->path().filename().string();
            const auto number = file_pattern_.number_in(file);
            if (!number || *number <= last || !numbers_->is_older(file))
                continue;
            count++;
            first = std::min(first, *number);
        }
        if (count > 0)
            options_.warn(text("%" G_GUINT64_FORMAT
                               " file%s of this series, from '%s' on, %s older than this run, which ended "
                               "with '%s'; if %s left from a longer series, remove %s",
                               count, count == 1 ? "" : "s", file_pattern_.name(first).c_str(),
                               count == 1 ? "is" : "are", file_pattern_.name(last).c_str(),
                               count == 1 ? "it is" : "they are", count == 1 ? "it" : "them"));
    }

    std::uint64_t files_for(std::uint64_t images, std::uint64_t bytes) const {
        const auto in_each =
            has_own_files()
                ? 1
                : std::max<std::uint64_t>(options_.bytes_per_file / std::max<std::uint64_t>(bytes, 1), 1);
        return std::max<std::uint64_t>(images / in_each + (images % in_each != 0), 1);
    }

    Error is_another_ones(const std::string &why) const {
        return Error(
            GST_RESOURCE_ERROR_BUSY,
            text("cannot write '%s': another process is writing this series, '%s', and has that number "
                 "or will come to it%s. Wait for it, or write to another folder",
                 current().file.c_str(), pattern_text_.c_str(), why.c_str()));
    }

    Location next_location(const ArrayInfo &page) {
        claim_numbers(page);
        // More than were announced are taken one by one.
        const auto take = [&] { return !numbers_ || used_ < claimed_ || numbers_->take(number_); };
        while (options_.append && pattern_.has_number() && (!take() || is_taken(current()))) {
            if (numbers_ && numbers_->is_taken_for_ever(number_))
                throw is_another_ones(", as to all that follow, because nobody knows how many it needs");
            number_ += options_.counter_step;
        }
        const auto location = current();
        if (!options_.append && !take())
            throw is_another_ones("");
        number_ += options_.counter_step;
        used_++;
        return location;
    }

    void open_file(const ArrayInfo &page) {
        opened_ = next_location(page);
        file_ = make_file(opened_,
                          options_.resume                             ? Existing::Resume
                          : options_.append && !pattern_.has_number() ? Existing::Continue
                                                                      : Existing::Replace,
                          page);
        at_ = 0;
        there_ = options_.resume ? file_->resume(page) : 0;
    }

    std::unique_ptr<FileWriter> make_file(const Location &location, Existing existing,
                                          const ArrayInfo &page) const {
#ifdef HAVE_HDF5
        if (type_ == FileType::Hdf5)
            return create_hdf5_file(location, existing, options_);
#endif
        return make_single_file(location, existing, page);
    }

    // Of all pages of a file, with room for their directories; none where nobody knows.
    std::optional<std::uint64_t> expected_bytes(const ArrayInfo &page) const {
        constexpr std::uint64_t directory = 4096;
        if (pattern_.has_number())
            return std::max(options_.bytes_per_file, page.size()) + directory;
        const auto length = options_.length ? options_.length() : StreamLength{};
        std::uint64_t bytes = 0;
        if (!length.announced || !multiply({*length.announced, page.size() + directory}, bytes))
            return {};
        return bytes;
    }

    std::unique_ptr<SingleFile> make_single_file(const Location &location, Existing existing,
                                                 [[maybe_unused]] const ArrayInfo &page) const {
        switch (type_) {
#ifdef HAVE_TIFF
        case FileType::Tiff: {
            // Some readers of classic files count bytes with a sign.
            constexpr std::uint64_t limit = std::numeric_limits<std::int32_t>::max();
            const auto expected = expected_bytes(page);
            return create_tiff_file(location.file, existing, options_, !expected || *expected > limit);
        }
#endif
#ifdef HAVE_JPEG
        case FileType::Jpeg:
            return create_jpeg_file(location.file, existing, options_);
#endif
#ifdef HAVE_PNG
        case FileType::Png:
            return create_png_file(location.file, existing, options_);
#endif
        case FileType::Edf:
            return create_edf_file(location.file, existing, options_);
        case FileType::Npy:
            return create_npy_file(location.file, existing, options_);
        case FileType::Raw:
            return create_raw_file(location.file, existing, options_);
        default:
            throw not_built_in(type_, location.file);
        }
    }

    void close_file() {
        if (file_) {
            file_->finish();
            note_name(opened_);
        }
        file_.reset();
        bytes_ = 0;
    }

    // Names are on the disk when their folder is, for which once is enough.
    void note_name(const Location &location) {
        const auto folder = [](const std::string &file) { return std::filesystem::path(file).parent_path(); };
        if (folder(named_) != folder(location.file))
            sync_names();
        named_ = location.file;
    }

    void sync_names() const {
        if (options_.fsync && !named_.empty() && !sync_folder_of(named_))
            throw system_error("write the name of", named_, errno, GST_RESOURCE_ERROR_WRITE);
    }

    Location current() const { return split_location(pattern_.name(number_), type_); }

    // Each image has one, which is written at the same time as others; the HDF5 library lets in one thread at
    // a time.
    bool has_own_files() const {
        return pattern_.has_number() && options_.bytes_per_file == 0 && type_ != FileType::Hdf5;
    }

    bool is_partly_there(const Location &location) const {
        return is_taken({partial_name(location.file), location.dataset}) ||
               (type_ == FileType::Hdf5 && is_taken({location.file, partial_name(location.dataset)}));
    }

    bool is_taken(const Location &location) const {
#ifdef HAVE_HDF5
        if (type_ == FileType::Hdf5)
            return hdf5_target_exists(location);
#endif
        std::error_code ignored;
        return std::filesystem::exists(location.file, ignored);
    }

    NameClaim claim_;
    std::string pattern_text_;
    std::string folder_;         // with the slash
    NumberPattern pattern_;      // of file and dataset
    NumberPattern file_pattern_; // where datasets have the number, the file has none
    FileType type_;
    WriteOptions options_;
    std::uint64_t number_;
    std::optional<SeriesClaim> numbers_; // those of this run
    std::function<StreamLength()> series_length_;
    std::uint64_t claimed_ = 0, used_ = 0; // files whose numbers were taken beforehand, and begun ones
    std::unique_ptr<FileWriter> file_;
    Location opened_;                  // its name
    std::string named_;                // the last file that has its name
    std::uint64_t bytes_ = 0;          // of images in the file
    std::uint64_t at_ = 0, there_ = 0; // images of this run in the file, and of an earlier one
    std::mutex left_lock_;
    Remains left_; // by a run that failed, in files behind the one that did
    std::unique_ptr<OrderedWork> work_;
};

class OutputStream final : public ImageWriter {
  public:
    void write(const ImageToWrite &image) override { output_->write(page_of(image)); }
    void settle() override {}
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
        : target_path_(location.text()), store_type_(store_type(type)), options_(options),
          target_(std::make_unique<SeriesWriter>(location, type, options)) {
        options_.type = type;
        // "out-%05i.tif" keeps beside itself "out-00000.tif.unscaled.tif".
        const NumberPattern pattern(target_path_, folder_of(location).size());
        store_.file = split_location(pattern.name(options.counter_start), type).file + ".unscaled" +
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
            store.most_bytes_under_way = options_.most_bytes_under_way;
            store.fsync = options_.fsync;
            store.report = options_.report;
            const auto info =
                image.info().with_format(GreyMapping{options_.bits, options_.rescale, {}}.format());
            target_->claim_numbers(options_.rgb ? info : info.with_size(info.width, info.height, 1));
            if (!store.resume)
                remove_store();
            images_ = std::make_unique<SeriesWriter>(escaped_store(), store_type_, store);
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

    // The name of the store is a name, not a pattern.
    Location escaped_store() const {
        auto escaped = store_;
        escaped.file = folder_of(store_);
        for (const char c : store_.file.substr(escaped.file.size()))
            escaped.file += c == '%' ? "%%" : std::string(1, c);
        return escaped;
    }

    std::string target_path_;
    FileType store_type_;
    WriteOptions options_;
    std::unique_ptr<SeriesWriter> target_;
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

std::unique_ptr<ImageWriter> integer_writer(const Location &location, FileType type, WriteOptions options) {
    if (type == FileType::Raw || type == FileType::Npy)
        warn_of_lost_range(location, options);
    if (options.rescale && !options.range_per_image && !(options.minimum && options.maximum))
        return std::make_unique<StreamRangeWriter>(location, type, options);
    return std::make_unique<IntegerWriter>(std::make_unique<SeriesWriter>(location, type, options), options);
}

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
            target_ = integer_writer(location_, type_, options_);
        }
        return *target_;
    }

    Location location_;
    FileType type_;
    WriteOptions options_;
    std::unique_ptr<ImageWriter> target_;
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
#ifndef HAVE_JPEG
    if (type == FileType::Jpeg)
        throw not_built_in(type, location.file);
#endif
#ifndef HAVE_PNG
    if (type == FileType::Png)
        throw not_built_in(type, location.file);
#endif
    if (type == FileType::Pnm)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s': PGM and PPM files can be read only; write PNG or TIFF", location.file.c_str()));
    if (type == FileType::Jpeg && options.bits == 16)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("'%s': bits is 16, but JPEG has 8; set bits=8, or write PNG", location.file.c_str()));
    if (options.bits != 32)
        return integer_writer(location, type, options);
    if (type == FileType::Png || type == FileType::Jpeg)
        return std::make_unique<PictureWriter>(location, type, options);
    return std::make_unique<SeriesWriter>(location, type, options);
}

} // namespace tomo::io
