// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "files.hpp"
#include <gst/files/disk.hpp>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace tomo::io {

void NamesOnDisk::add(const std::string &file) {
    const auto folder = [](const std::string &name) { return std::filesystem::path(name).parent_path(); };
    if (folder(last_) != folder(file))
        sync();
    last_ = file;
}

void NamesOnDisk::sync() const {
    if (fsync_ && !last_.empty() && !sync_folder_of(last_))
        throw system_error("write the name of", last_, errno, GST_RESOURCE_ERROR_WRITE);
}

static io::Page page_of(const ImageToWrite &image) {
    const auto *samples = image.samples();
    return {image.info(), samples, image.grey()};
}

static Error not_there() { return Error(GST_RESOURCE_ERROR_FAILED, "an image to be left out is not there"); }

// That an interrupted run had the same input and settings.
static void check_page(FileWriter &file, const Location &location, std::uint64_t number,
                       const ImageToWrite &image) {
    if (!file.holds(number, page_of(image)))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' can't be resumed: its image %" G_GUINT64_FORMAT
                         " (counted from 0) is not what comes now; the interrupted run had other input or "
                         "settings. Remove it, write to another file, or set resume=false",
                         location.text().c_str(), number));
}

// Many pages
// ---------------------------------------------------------------------------------------------------------

class FilesOfManyPages::Page final : public OrderedWork::Job {
  public:
    Page(FilesOfManyPages &files, const ImageToWrite &image, std::uint64_t number, bool is_there)
        : files_(files), image_(image), number_(number), is_there_(is_there) {}

    void work() override {
        if (is_there_)
            return;
        const auto *samples = image_.samples();
        if (files_.pyramid_)
            files_.pyramid_->put(number_, samples);
#ifdef HAVE_HDF5
        if (files_.layout_)
            chunked_ =
                std::make_unique<ChunkedPage>(cut_into_chunks(image_.info(), samples, *files_.layout_));
#endif
    }

    void run_in_order() override { files_.add(image_, is_there_, chunked_.get()); }

    // What its samples were made of is gone.
    std::uint64_t bytes_after_work() const override {
        return image_.info().size() + (chunked_ ? image_.info().size() : 0);
    }

  private:
    FilesOfManyPages &files_;
    const ImageToWrite image_;
    const std::uint64_t number_;
    const bool is_there_;
    std::unique_ptr<ChunkedPage> chunked_;
};

std::unique_ptr<OrderedWork::Job> FilesOfManyPages::job(const ImageToWrite &page, bool is_there) {
    if (jobs_ == 0 && maker_.type() == FileType::Hdf5)
        prepare(page.info());
    return std::make_unique<Page>(*this, page, jobs_++, is_there);
}

void FilesOfManyPages::prepare([[maybe_unused]] const ArrayInfo &page) {
#ifdef HAVE_HDF5
    const auto &options = maker_.options();
    if (!maker_.is_series() && wants_pyramid(options, page))
        pyramid_ = std::make_unique<StreamPyramid>(page);
    if (const auto layout = chunk_layout(page, options); options.deflate > 0 && !layout.is_grouped(page))
        layout_ = layout;
#endif
}

// The levels, where images of an earlier run are there.
void FilesOfManyPages::begin_levels() {
    has_levels_ = true;
    file_->begin_levels(*pyramid_);
    for (unsigned level = 0; level < pyramid_->levels(); level++) {
        const auto images = there_ >> level;
        if (images % 2 == 0)
            continue;
        const std::shared_ptr<double[]> samples(
            new double[pyramid_->image(level).size() / sizeof(double) + 1]);
        file_->read_level(level, images - 1, samples.get());
        pyramid_->put_back(level, images - 1, samples);
    }
}

void FilesOfManyPages::write(const ImageToWrite &image, const ChunkedPage *chunked) {
    const auto page = page_of(image);
    if (pyramid_ && !has_levels_ && there_ > 0)
        begin_levels();
    if (chunked)
        file_->write_chunked(page, *chunked);
    else
        file_->write(page);
    if (!pyramid_)
        return;
    if (!has_levels_) // beside a dataset, which is there now
        begin_levels();
    pyramid_->take(at_, [&](unsigned level, const ArrayInfo &info, const void *samples) {
        file_->write_level(level, {info, samples, page.grey});
    });
}

bool FilesOfManyPages::is_full(const ArrayInfo &page) const {
    const auto most = maker_.options().bytes_per_file;
    return bytes_ > 0 && maker_.is_series() &&
           (page.size() > most || bytes_ > most - page.size() || (at_ >= there_ && !file_->has_room(page)));
}

void FilesOfManyPages::add(const ImageToWrite &image, bool is_there, const ChunkedPage *chunked) {
    const auto &page = image.info();
    if (is_full(page))
        close();
    if (!file_)
        open(page);
    if (at_ >= there_ && is_there)
        throw not_there();
    if (at_ >= there_)
        write(image, chunked);
    else if (!is_there)
        check_page(*file_, opened_, at_, image);
    at_++;
    bytes_ += page.size();
    // A single image is complete and gets its name now.
    if (maker_.options().bytes_per_file == 0 && maker_.is_series())
        close();
}

void FilesOfManyPages::open(const ArrayInfo &page) {
    const auto &options = maker_.options();
    opened_ = names_.next();
    file_ = maker_.make(opened_,
                        options.resume                          ? Existing::Resume
                        : options.append && !maker_.is_series() ? Existing::Continue
                                                                : Existing::Replace,
                        page);
    at_ = 0;
    there_ = options.resume ? file_->resume(page) : 0;
}

void FilesOfManyPages::close() {
    if (file_) {
        if (has_levels_)
            pyramid_->take_rest(at_, [&](unsigned level, const ArrayInfo &info, const void *samples) {
                file_->write_level(level, {info, samples, {}});
            });
        file_->finish();
        on_disk_.add(opened_.file);
    }
    file_.reset();
    bytes_ = 0;
}

void FilesOfManyPages::finish() {
    close();
    on_disk_.sync();
}

Remains FilesOfManyPages::abandon() {
    const auto file = std::move(file_);
    return file ? file->abandon() : Remains{};
}

// One page
// ---------------------------------------------------------------------------------------------------------

class FilesOfOnePage::Page final : public OrderedWork::Job {
  public:
    Page(FilesOfOnePage &files, const Location &location, const ImageToWrite &image, bool is_there)
        : files_(files), location_(location), image_(image), is_there_(is_there) {}

    ~Page() override {
        if (file_)
            files_.keep(*file_);
    }

    void work() override {
        const auto &maker = files_.maker_;
        const bool resumes = maker.options().resume;
        // What has no name yet may lack something.
        if (resumes)
            remove_partial(location_.file);
        const auto existing =
            resumes && target_exists(maker.type(), location_) ? Existing::Resume : Existing::Replace;
        file_ = maker.make_single(location_, existing, image_.info());
        const bool found = existing == Existing::Resume && file_->resume(image_.info()) > 0;
        if (!found && is_there_)
            throw not_there();
        if (!found)
            file_->write(page_of(image_));
        else if (!is_there_)
            check_page(*file_, location_, 0, image_);
        file_->complete();
    }

    void run_in_order() override {
        file_->publish();
        file_.reset();
        files_.on_disk_.add(location_.file);
    }

  private:
    FilesOfOnePage &files_;
    const Location location_;
    const ImageToWrite image_;
    const bool is_there_;
    std::unique_ptr<SingleFile> file_;
};

std::unique_ptr<OrderedWork::Job> FilesOfOnePage::job(const ImageToWrite &page, bool is_there) {
    return std::make_unique<Page>(*this, names_.next(), page, is_there);
}

// From any thread; nothing leaves it.
void FilesOfOnePage::keep(SingleFile &file) {
    Remains remains;
    try {
        remains = file.abandon();
    } catch (const std::exception &e) {
        remains.faults = text("cannot keep an image already written: %s", e.what());
    }
    const std::lock_guard<std::mutex> lock(lock_);
    if (left_.images == 0)
        left_.place = remains.place;
    left_.images += remains.images;
    left_.damaged |= remains.damaged;
    if (left_.faults.empty())
        left_.faults = remains.faults;
}

Remains FilesOfOnePage::abandon() {
    const std::lock_guard<std::mutex> lock(lock_);
    return std::exchange(left_, {});
}

} // namespace tomo::io
