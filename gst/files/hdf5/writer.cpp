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

#include "image-dataset.hpp"
#include "journal.hpp"
#include "journaled-file.hpp"
#include "levels.hpp"
#include "objects.hpp"
#include "part-names.hpp"
#include "result.hpp"
#include "target.hpp"
#include <gst/files/file-writer.hpp>
#include <gst/files/halving.hpp>
#include <gst/files/stream-pyramid.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace tomo::io {

namespace {

using Clock = std::chrono::steady_clock;
using Place = Hdf5Target::Place;

// What a crash may cost: the file's structure goes to the disk at least this often, or at the interval of the
// options.
constexpr std::uint64_t flush_bytes = 256 << 20;

// What a writer is at.
enum class State {
    Begun,   // the file is open; with a dataset where an earlier run left one
    Writing, // the dataset takes images
    Named,   // the dataset has its own name, and the file gets it
    GivenUp, // what was not flushed is lost; all that is left to do is to close the file
    Ended,
};

const char *name_of(State state) {
    constexpr const char *names[] = {"begun", "writing", "named", "given up", "ended"};
    return names[static_cast<std::size_t>(state)];
}

bool may_follow(State before, State after) {
    switch (before) {
    case State::Begun:
        return after != State::Begun;
    case State::Writing:
        return after == State::Named || after == State::GivenUp || after == State::Ended;
    case State::Named:
    case State::GivenUp:
        return after == State::Ended;
    case State::Ended:
        break;
    }
    return false;
}

class Hdf5File final : public FileWriter {
  public:
    Hdf5File(const Location &location, Existing existing, const WriteOptions &options)
        : options_(options), has_range_per_page_(has_range_per_page(options)), target_([&] {
              const Hdf5Lock lock;
              Hdf5Target target(location, existing, options);
              hdf5_check_volumes(target.file(), target.location().dataset, options.volume);
              if (existing == Existing::Resume)
                  refuse_to_resume_parts(target);
              return target;
          }()) {
        const Hdf5Lock lock;
        if (target_.has_dataset()) {
            images_ = ImageDataset(target_.file(), target_.dataset(), target_.full_name());
            images_before_ = images_flushed_ = images_.images();
            grey_ = hdf5_range_of(images_.get());
            counts_all_ = existing == Existing::Resume || target_.place() != Place::GrownDataset;
        }
        target_.begin();
    }

    ~Hdf5File() override {
        const Hdf5Lock lock;
        images_.close();
        levels_.clear();
        if (state_ == State::Ended)
            return;
        // Neither finished nor abandoned.
        if (target_.is_open())
            target_.give_up();
        target_.abandon(false);
    }

    std::uint64_t resume(const ArrayInfo &plane) override {
        learn_facts();
        const Hdf5Lock lock;
        if (!images_)
            return 0;
        if (!is_like(plane) || !images_.has_own_chunks())
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("'%s' can't be resumed: it holds images of %s and is not as tomowrite would write those "
                     "of %s; remove it, or write to another dataset",
                     target_.full_name().c_str(), images_.image().describe().c_str(),
                     plane.describe().c_str()));
        return images_.images();
    }

    bool holds(std::uint64_t image, const Page &page) override {
        const Hdf5Lock lock;
        std::vector<unsigned char> there(page.info.size());
        if (!images_.read(image, there.data()))
            throw hdf5_error(GST_RESOURCE_ERROR_READ, "cannot read '" + target_.full_name() + "'");
        return std::memcmp(there.data(), page.samples, there.size()) == 0 && page.grey == grey_;
    }

    void write(const Page &page) override { write(page, nullptr); }

    void write_chunked(const Page &page, const ChunkedPage &chunked) override { write(page, &chunked); }

    void begin_levels(const StreamPyramid &pyramid) override {
        const Hdf5Lock lock;
        levels_ = hdf5_open_levels(target_.file(), target_.dataset(), target_.location().file);
        bool are_alike = levels_.size() < pyramid.levels();
        for (unsigned level = 1; are_alike && level <= levels_.size(); level++)
            are_alike = is_like(levels_[level - 1].image(), pyramid.image(level));
        if (!are_alike) { // of an interrupted run with other images
            levels_.clear();
            hdf5_remove_levels(target_.file(), target_.dataset());
        }
        for (unsigned level = 1; level < pyramid.levels(); level++) {
            if (levels_.size() < level)
                levels_.push_back(make_level(level, pyramid.image(level)));
            auto &to = levels_[level - 1];
            const auto whole = images_.images() >> level;
            if (to.images() > whole && !to.cut(whole))
                throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + level_name(level) + "'");
            while (to.images() < whole)
                make_of_level_before(level);
        }
    }

    void write_level(unsigned level, const Page &page) override {
        write_image(levels_.at(level - 1), page.samples, nullptr, level_name(level));
    }

    void read_level(unsigned level, std::uint64_t image, void *samples) override {
        const Hdf5Lock lock;
        if (!(level == 0 ? images_ : levels_.at(level - 1)).read(image, samples))
            throw hdf5_error(GST_RESOURCE_ERROR_READ, "cannot read '" + level_name(level) + "'");
    }

    void finish() override {
        if (facts_ && options_.add_final_facts)
            options_.add_final_facts(*facts_);
        const Hdf5Lock lock;
        flush();
        try {
            give_name();
        } catch (...) {
            // Nothing of it is in the file; what was flushed is.
            target_.give_up();
            enter(State::GivenUp);
            throw;
        }
        enter(State::Named);
        target_.publish();
        enter(State::Ended);
        if (replaces_parts_)
            Hdf5PartNames(target_.location()).clean(replaced_parts_);
    }

    Remains abandon() override {
        const Hdf5Lock lock;
        if (state_ != State::GivenUp)
            cut_levels();
        levels_.clear();
        const auto remains = state_ == State::Named     ? remains_of_named()
                             : state_ == State::GivenUp ? remains_of_flushed(images_.images())
                                                        : keep_whole_images();
        target_.abandon(remains.images == 0);
        enter(State::Ended);
        return remains;
    }

  private:
    static void refuse_to_resume_parts(Hdf5Target &target) {
        if (target.has_dataset() && target.place() != Place::GrownDataset)
            return; // an interrupted run without parts
        const auto &location = target.location();
        const Hdf5PartNames names(location);
        const auto unfinished = names.unfinished(),
                   there = unfinished ? unfinished : names.standing(target.file());
        if (!there)
            return;
        target.abandon(true);
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' can't be resumed in one part: its images are in %u, in '%s'; set that number "
                         "of parts, or leave resume out",
                         location.text().c_str(), there->parts, names.folder().c_str()));
    }

    void enter(State next) {
        if (!may_follow(state_, next))
            throw Error(GST_RESOURCE_ERROR_FAILED,
                        text("'%s': a writer that is %s can't become %s", target_.full_name().c_str(),
                             name_of(state_), name_of(next)));
        state_ = next;
    }

    // Writing
    // -----------------------------------------------------------------------------------------------------

    void write(const Page &page, const ChunkedPage *chunked) {
        learn_facts();
        {
            const Hdf5Lock lock;
            if (!images_)
                begin(page);
            if (state_ != State::Writing)
                enter(State::Writing);
            check(page);
        }
        write_image(images_, page.samples, chunked, target_.full_name());
        const Hdf5Lock lock;
        if (has_range_per_page_)
            ranges_.push_back(page.grey.value_or(ValueRange{}));
        unflushed_ += page.info.size();
        if (unflushed_ >= flush_bytes || Clock::now() - flushed_ >= options_.flush_interval)
            flush();
    }

    // Samples are written without the library's lock, where the library only places them.
    void write_image(ImageDataset &to, const void *samples, const ChunkedPage *chunked,
                     const std::string &name) {
        struct Deferral {
            ~Deferral() {
                if (file)
                    file->forget_deferred();
            }
            JournaledFile *file = nullptr;
        } deferral;
        {
            const Hdf5Lock lock;
            if (to.takes_samples_themselves())
                deferral.file = hdf5_defer_samples(target_.file());
            add(to, samples, chunked, name);
        }
        const bool is_written = !deferral.file || deferral.file->write_deferred();
        const int reason = errno;
        if (is_written)
            return;
        const Hdf5Lock lock;
        to.forget_last();
        throw system_error("write", name, reason, GST_RESOURCE_ERROR_WRITE);
    }

    std::string level_name(unsigned level) const {
        return target_.location().file + ":" + hdf5_level_name(target_.dataset(), level);
    }

    ImageDataset make_level(unsigned level, const ArrayInfo &image) {
        target_.reserve(0);
        auto made = make_dataset(hdf5_level_name(target_.dataset(), level), image);
        hdf5_sign_level(made.get(), 1u << level, target_.location().dataset);
        if (grey_)
            hdf5_set_range(made.get(), *grey_);
        return made;
    }

    // An image that an interrupted run did not come to, or that was made without levels.
    void make_of_level_before(unsigned level) {
        auto &to = levels_[level - 1];
        auto &from = level == 1 ? images_ : levels_[level - 2];
        const auto &image = from.image();
        std::vector<double> first(image.size() / sizeof(double) + 1), second(first.size()),
            made(to.image().size() / sizeof(double) + 1); // so that samples of all types are aligned
        if (!from.read(2 * to.images(), first.data()) || !from.read(2 * to.images() + 1, second.data()))
            throw hdf5_error(GST_RESOURCE_ERROR_READ, "cannot read '" + level_name(level - 1) + "'");
        halve_images(image.format, first.data(), second.data(), image.height, image.width, made.data());
        add(to, made.data(), nullptr, level_name(level));
    }

    // Without the library's lock: it may take a while.
    void learn_facts() {
        if (!facts_ && options_.facts)
            facts_ = options_.facts();
    }

    void begin(const Page &page) {
        target_.reserve(0);
        if (facts_)
            target_.reserve(2 * (facts_->pipeline.size() + facts_->folder.size()));
        images_ = make_dataset(target_.dataset(), page.info);
        if (facts_)
            hdf5_sign_dataset(images_.get(), *facts_);
        if (page.grey && !has_range_per_page_)
            hdf5_set_range(images_.get(), *page.grey);
        grey_ = has_range_per_page_ ? std::nullopt : page.grey;
        flush();
    }

    ImageDataset make_dataset(const std::string &name, const ArrayInfo &image) {
        target_.make_room_for(name);
        return {target_.file(), name, image, options_.deflate, target_.location().file + ":" + name};
    }

    static bool is_like(const ArrayInfo &plane, const ArrayInfo &image) {
        return plane.format == image.format && plane.width == image.width && plane.height == image.height;
    }
    bool is_like(const ArrayInfo &plane) const { return is_like(plane, images_.image()); }

    void check(const Page &page) const {
        const auto range_text = [](const std::optional<ValueRange> &range) {
            return range ? text("%g to %g", range->minimum, range->maximum) : "themselves";
        };
        const auto &name = target_.location().text();
        if (!is_like(page.info))
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("'%s' holds images of %s, one of %s can't be among them; write TIFF files, or another "
                     "dataset",
                     name.c_str(), images_.image().describe().c_str(), page.info.describe().c_str()));
        if (!has_range_per_page_ && page.grey != grey_)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s' can't be continued: its samples stand for %s, those that come for %s; set "
                             "minimum and maximum as they are there, or write another dataset",
                             name.c_str(), range_text(grey_).c_str(), range_text(page.grey).c_str()));
    }

    void add(ImageDataset &to, const void *samples, const ChunkedPage *chunked, const std::string &name) {
        const auto bytes = to.image().size();
        target_.reserve(to.has_own_chunks() ? 0 : bytes, to.has_own_chunks() ? bytes : 0);
        to.add(samples, chunked, "cannot write '" + name + "'");
    }

    void flush() {
        target_.flush();
        images_flushed_ = images_.images();
        unflushed_ = 0;
        flushed_ = Clock::now();
    }

    // Finishing
    // -----------------------------------------------------------------------------------------------------

    void give_name() {
        const bool has_images = static_cast<bool>(images_), describes = facts_ && has_images;
        if (describes)
            target_.reserve(hdf5_result_bytes(hdf5_shape(images_.get()), *facts_));
        write_ranges(target_.location().dataset);
        const auto length = options_.length ? options_.length() : StreamLength{};
        if (images_ && options_.length)
            hdf5_set_completeness(images_.get(), length);
        if (!images_.close())
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + target_.full_name() + "'");
        replaces_parts_ = has_images && target_.place() != Place::GrownDataset;
        if (replaces_parts_)
            replaced_parts_ = Hdf5PartNames(target_.location()).standing(target_.file());
        name_levels();
        target_.name_dataset();
        if (has_images)
            hdf5_write_volumes(target_.file(), target_.location().dataset, options_.volume);
        if (describes)
            hdf5_describe_result(target_.file(), target_.location().dataset, *facts_, length);
        target_.flush();
    }

    // Levels of an older dataset go.
    void name_levels() {
        const bool are_made = !levels_.empty();
        for (auto &level : levels_)
            if (!level.close())
                throw hdf5_error(GST_RESOURCE_ERROR_WRITE,
                                 "cannot write the levels of '" + target_.full_name() + "'");
        levels_.clear();
        if (state_ != State::Writing)
            return;
        const auto from = target_.dataset(), &to = target_.location().dataset;
        if (from != to)
            hdf5_remove_levels(target_.file(), to);
        if (!are_made)
            hdf5_remove_levels(target_.file(), from);
        else if (from != to)
            hdf5_move_levels(target_.file(), from, to);
    }

    // Beside the dataset of this name; those of an older one are removed.
    void write_ranges(const std::string &name) {
        if (!images_)
            return;
        target_.reserve(2 * sizeof(double) * ranges_.size());
        hdf5_write_ranges(target_.file(), images_.get(), name, ranges_);
    }

    // Giving up
    // -----------------------------------------------------------------------------------------------------

    // Images of a dataset that others wrote, and which belongs to them.
    std::uint64_t others_images() const { return counts_all_ ? 0 : images_before_; }

    Remains remains_of_named() const {
        const auto before = target_.place() == Place::GrownDataset ? images_before_ : 0;
        return {images_.images() - before, target_.full_name()};
    }

    // `images` were in the dataset.
    Remains remains_of_flushed(std::uint64_t images) {
        images_.close();
        const auto before = others_images();
        Remains remains{images_flushed_ - std::min(images_flushed_, before), target_.full_name()};
        remains.lost = images - before - std::min(images - before, remains.images);
        return remains;
    }

    Remains keep_whole_images() {
        const auto images = images_.images();
        const auto name = target_.full_name();
        Remains remains{images, name};
        if (images_ && !images_.cut_to_whole_images(target_.file(), target_.dataset()))
            add_fault(remains, name, "can't be cut to its whole images");
        try {
            if (images > 0)
                write_ranges(target_.place() == Place::NewFile ? target_.dataset()
                                                               : target_.partial_dataset());
        } catch (const Error &error) {
            add_fault(remains, name, text("lacks the grey values of its images: %s", error.what()));
        }
        if (!counts_all_)
            move_new_images(remains);
        const bool is_closed = images_.close();
        if (remains.images == 0 && !target_.remove_empty_dataset())
            add_fault(remains, name, "can't be removed, although it holds no new image");
        if (is_closed && target_.try_to_flush())
            return remains;
        target_.give_up(); // nor is in the file what failed on the way
        return remains_of_flushed(images);
    }

    void cut_levels() {
        for (unsigned level = 1; level <= levels_.size(); level++)
            if (!levels_[level - 1].cut_to_whole_images(target_.file(),
                                                        hdf5_level_name(target_.dataset(), level)))
                H5Eclear2(H5E_DEFAULT); // a later run does that
    }

    static void add_fault(Remains &remains, const std::string &name, const std::string &words) {
        remains.faults += text("%s'%s' %s", remains.faults.empty() ? "" : ", ", name.c_str(), words.c_str());
    }

    // Gives a continued dataset its old length; what came new is kept beside it.
    void move_new_images(Remains &remains) {
        remains.images = 0;
        remains.place = target_.location().file + ":" + target_.partial_dataset();
        remains.lost = images_.images() - images_before_;
        if (remains.lost > 0 && images_) {
            ImageDataset partial;
            try {
                partial = make_dataset(target_.partial_dataset(), images_.image());
                std::vector<unsigned char> image(images_.image().size());
                for (; remains.lost > 0; remains.images++, remains.lost--) {
                    if (!images_.read(images_before_ + remains.images, image.data()))
                        break;
                    add(partial, image.data(), nullptr, target_.partial_dataset());
                }
            } catch (const Error &error) {
                // A full disk. The dataset as it was goes before these images.
                add_fault(remains, remains.place, text("does not take all images: %s", error.what()));
            }
            if (partial && !partial.cut_to_whole_images(target_.file(), target_.partial_dataset()))
                add_fault(remains, remains.place, "can't be cut to its whole images");
        }
        if (images_ && !images_.cut(images_before_))
            add_fault(remains, target_.full_name(), "can't be cut to the images that it had before");
    }

    const WriteOptions options_;
    const bool has_range_per_page_;
    State state_ = State::Begun;
    Hdf5Target target_;
    ImageDataset images_;
    std::vector<ImageDataset> levels_; // of the pyramid, where there is one
    // Of a dataset that is continued, only those that come are ours.
    bool counts_all_ = true;
    std::uint64_t images_before_ = 0,
                  images_flushed_ = 0; // whole images in the dataset, at first and flushed
    std::uint64_t unflushed_ = 0;      // bytes
    Clock::time_point flushed_ = Clock::now();
    std::optional<ValueRange> grey_; // of all images
    std::vector<ValueRange> ranges_; // or of each
    std::optional<ResultFacts> facts_;
    bool replaces_parts_ = false; // files of an earlier dataset that this one replaces, if there are any
    std::optional<Hdf5PartRun> replaced_parts_;
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
    if (!hdf5_was_begun(location.file))
        return false;
    const auto file = hdf5_open(location.file, false);
    return hdf5_look_up(file.get(), location.dataset).next.empty();
}

} // namespace tomo::io

#endif // HAVE_HDF5
