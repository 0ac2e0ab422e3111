// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// HDF5: one dataset of images x rows x columns, the first extent without limit, a chunk for each image;
// compressed ones have several, which are compressed at the same time. With `chunks`, images are held until
// they fill whole chunks, and counted as written from then on.
//
// A file that does not exist yet is written as FILE.partial. In one that exists the new dataset is
// DATASET.partial until it is complete; then it takes the place of the old one. Other datasets are not
// touched.
//
// A dataset that is continued grows in place. When that is given up, the new images move to DATASET.partial,
// and the dataset has its old length again.

#ifdef HAVE_HDF5

#include "append.hpp"
#include "journal.hpp"
#include "levels.hpp"
#include "objects.hpp"
#include "part-names.hpp"
#include "result.hpp"
#include "target.hpp"
#include <gst/files/file-writer.hpp>

#include <algorithm>
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
        levels_.close();
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
        const bool is_cut_alike =
            options_.chunks.empty() || images_.layout().sizes == chunk_layout(plane, options_).sizes;
        if (!is_like(plane) || !images_.has_own_chunks() || !is_cut_alike)
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("'%s' can't be resumed: it holds images of %s%s and is not as tomowrite would write "
                     "those of %s; remove it, or write to another dataset",
                     target_.full_name().c_str(), images_.image().describe().c_str(),
                     is_cut_alike ? "" : " in other chunks", plane.describe().c_str()));
        if (images_.images() > options_.most_resumed && !images_.cut(options_.most_resumed))
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, "cannot write '" + target_.full_name() + "'");
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
        levels_.begin(pyramid, images_, grey_);
    }

    void write_level(unsigned level, const Page &page) override { levels_.write(level, page.samples); }

    void read_level(unsigned level, std::uint64_t image, void *samples) override {
        const Hdf5Lock lock;
        if (!(level == 0 ? images_.read(image, samples) : levels_.read(level, image, samples)))
            throw hdf5_error(GST_RESOURCE_ERROR_READ, "cannot read '" + levels_.full_name(level) + "'");
    }

    void finish() override {
        if (facts_ && options_.add_final_facts)
            options_.add_final_facts(*facts_);
        hdf5_complete(target_, images_, target_.full_name());
        levels_.complete();
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
            levels_.cut_to_whole_images();
        levels_.close();
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
        hdf5_append(target_, images_, page.samples, chunked, target_.full_name());
        const Hdf5Lock lock;
        if (has_range_per_page_)
            ranges_.push_back(page.grey.value_or(ValueRange{}));
        unflushed_ += page.info.size();
        if (unflushed_ >= flush_bytes || Clock::now() - flushed_ >= options_.flush_interval)
            flush();
    }

    // Without the library's lock: it may take a while, and the number of images is asked of elements that may
    // wait for the lock. They are not asked again, so the length is there for those who hold it.
    void learn_facts() {
        if (!std::exchange(knows_length_, true) && options_.length)
            options_.length();
        if (!facts_ && options_.facts)
            facts_ = options_.facts();
    }

    void begin(const Page &page) {
        target_.reserve(0);
        if (facts_)
            target_.reserve(2 * (facts_->pipeline.size() + facts_->folder.size()));
        images_ = make_dataset(target_.dataset(), page.info, chunk_layout(page.info, options_));
        if (facts_)
            hdf5_sign_dataset(images_.get(), *facts_);
        if (page.grey && !has_range_per_page_)
            hdf5_set_range(images_.get(), *page.grey);
        grey_ = has_range_per_page_ ? std::nullopt : page.grey;
        flush();
    }

    ImageDataset make_dataset(const std::string &name, const ArrayInfo &image, const ChunkLayout &layout) {
        target_.make_room_for(name);
        return {target_.file(), name, image, layout, target_.location().file + ":" + name};
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

    void flush() {
        target_.flush();
        images_flushed_ = images_.stored();
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
        if (state_ == State::Writing)
            levels_.name();
        target_.name_dataset();
        if (has_images)
            hdf5_write_volumes(target_.file(), target_.location().dataset, options_.volume);
        if (describes)
            hdf5_describe_result(target_.file(), target_.location().dataset, *facts_, length);
        target_.flush();
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

    // Images that fill no whole chunk, unless the disk is full.
    void write_rest() {
        try {
            hdf5_complete(target_, images_, target_.full_name());
        } catch (const Error &) {
            images_.forget_group();
        }
    }

    Remains keep_whole_images() {
        const auto name = target_.full_name();
        const auto came = images_.images();
        write_rest();
        const auto images = images_.images();
        Remains remains{images, name, came - images};
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
                partial = make_dataset(target_.partial_dataset(), images_.image(),
                                       images_.has_own_chunks() ? images_.layout()
                                                                : chunk_layout(images_.image(), options_));
                std::vector<unsigned char> image(images_.image().size());
                for (; remains.lost > 0; remains.images++, remains.lost--) {
                    if (!images_.read(images_before_ + remains.images, image.data()))
                        break;
                    hdf5_append(target_, partial, image.data(), nullptr, remains.place);
                }
                hdf5_complete(target_, partial, remains.place);
            } catch (const Error &error) {
                // A full disk. The dataset as it was goes before these images.
                add_fault(remains, remains.place, text("does not take all images: %s", error.what()));
            }
            if (partial && !partial.cut_to_whole_images(target_.file(), target_.partial_dataset()))
                add_fault(remains, remains.place, "can't be cut to its whole images");
        }
        if (images_ && !cut_to_earlier_images())
            add_fault(remains, target_.full_name(), "can't be cut to the images that it had before");
    }

    bool cut_to_earlier_images() {
        try {
            if (!images_.cut(images_before_))
                return false;
            hdf5_complete(target_, images_, target_.full_name());
            return true;
        } catch (const Error &) {
            return false;
        }
    }

    const WriteOptions options_;
    const bool has_range_per_page_;
    State state_ = State::Begun;
    Hdf5Target target_;
    ImageDataset images_;
    Hdf5Levels levels_{target_, options_}; // of the pyramid, where there is one
    // Of a dataset that is continued, only those that come are ours.
    bool counts_all_ = true;
    std::uint64_t images_before_ = 0,
                  images_flushed_ = 0; // whole images in the dataset, at first and flushed
    std::uint64_t unflushed_ = 0;      // bytes
    Clock::time_point flushed_ = Clock::now();
    std::optional<ValueRange> grey_; // of all images
    std::vector<ValueRange> ranges_; // or of each
    bool knows_length_ = false;
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
