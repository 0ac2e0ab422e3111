// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "parts.hpp"
#include "file.hpp"
#include "levels.hpp"
#include "objects.hpp"
#include "part-names.hpp"
#include "parts-levels.hpp"
#include "result.hpp"
#include "target.hpp"
#include "types.hpp"
#include <gst/files/disk.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/files/output-names.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

constexpr char dataset_of_part[] = "/data";

// Whether an earlier run has left images in a dataset that has no parts.
bool is_undivided(hid_t file, const std::string &name) {
    const auto node = hdf5_look_up(file, name);
    if (node.kind != Hdf5Node::Kind::Dataset || !node.next.empty())
        return false;
    const Hdf5Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
    const Hdf5Handle creation(H5Dget_create_plist(dataset.get()), H5Pclose);
    return creation && H5Pget_layout(creation.get()) != H5D_VIRTUAL;
}

class PartsWriter final : public ImageTarget {
  public:
    PartsWriter(const Location &location, const WriteOptions &options, OpenPart open_part)
        : location_(location), options_(options), open_part_(std::move(open_part)) {
        if (options.append)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s': append and several files for a dataset are set; a dataset in parts can't be "
                     "continued",
                     location.text().c_str()));
        if (has_range_per_page(options))
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("'%s': range-per-image and several files for a dataset are set; set minimum and "
                             "maximum instead",
                             location.text().c_str()));
    }
    ~PartsWriter() override { abandon(); }

    void begin(const ArrayInfo &page) override {
        if (std::exchange(has_begun_, true))
            return;
        page_ = page;
        open_target();
        // What grows behind the images upon which NAME stands is no run of its own.
        if (run_ != standing_) {
            names_->mark_unfinished(run_);
            sync_folder(names_->path(run_, 0));
        }
        WriteOptions options = options_;
        options.length = {};
        options.facts = {};
        options.add_final_facts = {};
        options.volume = 0;
        options.pyramid = WriteOptions::Pyramid::No;
        options.parts = 1;
        options.threads = 2;
        options.most_bytes_under_way =
            std::max<std::uint64_t>(options_.most_bytes_under_way / options_.parts, 1);
        for (unsigned i = 0; i < options_.parts; i++) {
            // Of a run that ended before NAME stood upon it. Into it the library would write behind the old
            // images.
            if (!options_.resume)
                names_->remove(run_, i);
            parts_.push_back(open_part_(place_of(i), options));
            if (range_)
                parts_.back()->set_range(*range_);
        }
        if (options_.resume)
            count_images_there();
        // An image of a level keeps two images of the volume. With a part's share one would be made at a
        // time.
        options.most_bytes_under_way = options_.most_bytes_under_way;
        begin_levels(options);
    }

    void set_range(const ValueRange &range) override { range_ = range; }

    void write(const ImageToWrite &image) override {
        begin(image.info().with_size(image.info().width, image.info().height, 1));
        if (!facts_ && options_.facts)
            facts_ = options_.facts();
        for (unsigned i = 0; i < image.info().depth; i++) {
            const auto plane = image.plane(i);
            part_of(images_++).write(plane);
            if (levels_)
                levels_->add(plane);
        }
    }

    void settle() override {
        for (auto &part : parts_)
            part->settle();
        if (levels_)
            levels_->settle();
    }

    std::uint64_t images_there(const ArrayInfo &info) override {
        if (!options_.resume)
            return 0;
        begin(info.with_size(info.width, info.height, 1));
        return there_ / info.depth;
    }

    void skip(const ArrayInfo &info, std::uint64_t images) override {
        const auto page = info.with_size(info.width, info.height, 1);
        for (std::uint64_t i = 0; i < images * info.depth; i++) {
            part_of(images_++).skip(page, 1);
            if (levels_)
                levels_->add({});
        }
    }

    void finish() override {
        if (images_ == 0) {
            abandon();
            return;
        }
        for (auto &part : parts_)
            part->finish();
        parts_.clear();
        if (levels_)
            levels_->finish();
        are_whole_ = true;
        sync_folder(names_->path(run_, 0));
        sync_folder(names_->folder());
        publish();
        are_whole_ = false;
        if (!levels_)
            remove_levels(); // of a run that had some
        // NAME may not come back without them.
        sync_folder(names_->folder());
        names_->mark_finished(run_);
        const auto replaced = run_ == standing_ ? std::nullopt : standing_;
        names_->clean(replaced);
        if (const auto foreign = names_->foreign(run_); foreign && options_.warn)
            options_.warn(
                text("'%s' and those beside it are files of an earlier run, which '%s' does not need; "
                     "remove them if no other file does",
                     names_->path(*foreign, 0).c_str(), location_.text().c_str()));
    }

    std::string abandon() noexcept override {
        std::string said;
        try {
            said = keep();
        } catch (const std::exception &e) {
            g_warning("cannot keep the images already written: %s", e.what());
        }
        return said;
    }

  private:
    Location place_of(unsigned part) const {
        const auto path = names_->path(run_, part);
        return {escape_pattern(path, path.rfind('/') + 1), dataset_of_part};
    }

    // All before the first one that is not there.
    void count_images_there() {
        there_ = G_MAXUINT64;
        for (std::size_t i = 0; i < parts_.size(); i++)
            there_ = std::min(there_, parts_[i]->images_there(page_) * parts_.size() + i);
    }

    unsigned file_of_level(unsigned number) const { return options_.parts + number; }

    void remove_levels() const {
        for (unsigned i = 0; i < Hdf5PartsLevels::most_files(options_.parts); i++)
            names_->remove(run_, file_of_level(i));
    }

    // In files behind those of the images. Where a run that resumes finds less in them than of the images,
    // these are computed again.
    void begin_levels(const WriteOptions &options_of_part) {
        if (!options_.resume)
            remove_levels();
        if (StreamPyramid(page_).levels() == 1 || !wants_pyramid(options_, page_))
            return;
        levels_ = std::make_unique<Hdf5PartsLevels>(
            page_, options_.parts, [this](unsigned number) { return place_of(file_of_level(number)); },
            options_of_part, options_.length, there_, open_part_);
        there_ = std::min(there_, levels_->images_there());
        if (range_)
            levels_->set_range(*range_);
    }

    // Open until the end, so that nobody else writes NAME or its parts, and what is in the way is told at
    // once.
    void open_target() {
        names_.emplace(Location{prepare_target(location_.file), location_.dataset});
        const Hdf5Lock lock;
        if (options_.resume)
            refuse_undivided();
        target_.emplace(location_, Existing::Replace, options_);
        hdf5_check_volumes(target_->file(), location_.dataset, options_.volume);
        target_->begin();
        standing_ = names_->standing(target_->file());
        if (const auto there = options_.resume ? resumed() : std::nullopt) {
            if (there->parts != options_.parts)
                throw Error(
                    GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' can't be resumed in %u parts: its images are in %u; set that number, or "
                         "leave resume out",
                         location_.text().c_str(), options_.parts, there->parts));
            run_ = *there;
        } else {
            run_ = {names_->free_letter(standing_), options_.parts};
        }
    }

    std::optional<Hdf5PartRun> resumed() const {
        const auto unfinished = names_->unfinished();
        return unfinished ? unfinished : standing_;
    }

    // Images without parts, which came after those with parts.
    void refuse_undivided() const {
        if (names_->unfinished())
            return;
        const auto &name = names_->file();
        std::error_code ignored;
        const auto is_there = fs::exists(name, ignored);
        if (!is_there && !fs::exists(partial_name(name), ignored))
            return;
        if (!is_there)
            claim_partial(name, true);
        const auto opened = is_there ? name : partial_name(name);
        if (!is_there && !hdf5_was_begun(opened))
            return;
        const auto file = hdf5_open(opened, false);
        for (const auto &dataset : {location_.dataset, partial_name(location_.dataset)})
            if (is_undivided(file.get(), dataset))
                throw Error(
                    GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' can't be resumed in %u parts: its images are in one, '%s:%s'; set parts to "
                         "1, or leave resume out",
                         location_.text().c_str(), options_.parts, opened.c_str(), dataset.c_str()));
    }

    void sync_folder(const std::string &name) const {
        if (options_.fsync && !sync_folder_of(name))
            throw system_error("write", name, errno, GST_RESOURCE_ERROR_WRITE);
    }

    std::string keep() {
        std::string said;
        unsigned kept = 0;
        constexpr unsigned most = 3; // that are named
        for (auto &part : parts_)
            if (const auto words = part->abandon(); !words.empty() && kept++ < most)
                said += (said.empty() ? "" : ", ") + words;
        parts_.clear();
        if (levels_)
            levels_->abandon();
        levels_.reset();
        if (kept > most)
            said += text(", and in %u more files", kept - most);
        if (kept > 0)
            said = "in '" + names_->folder() + "' " + said;
        if (std::exchange(are_whole_, false))
            said =
                text("all %" G_GUINT64_FORMAT " images are kept in '%s'", images_, names_->folder().c_str());
        if (names_)
            names_->forget_empty(run_);
        names_.reset();
        const Hdf5Lock lock;
        if (target_ && target_->is_open())
            target_->give_up();
        if (target_)
            target_->abandon(true);
        target_.reset();
        return said;
    }

    ImageTarget &part_of(std::uint64_t image) { return *parts_[image % parts_.size()]; }

    void publish() {
        if (facts_ && options_.add_final_facts)
            options_.add_final_facts(*facts_);
        const auto length = options_.length ? options_.length() : StreamLength{};
        const Hdf5Lock lock;
        write_virtual_dataset(*target_, length);
        target_->publish();
        target_.reset();
    }

    void write_virtual_dataset(Hdf5Target &target, const StreamLength &length) {
        const auto told = "cannot create '" + location_.text() + "'";
        const auto check = [&](auto result) { return hdf5_check(result, GST_RESOURCE_ERROR_WRITE, told); };
        const auto name = target.dataset();
        const auto type = hdf5_type_of(page_.format);
        const hsize_t extent[] = {images_, page_.height, page_.width};
        const Hdf5Handle space(check(H5Screate_simple(3, extent, nullptr)), H5Sclose);
        const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
        H5Pset_create_intermediate_group(links.get(), 1);
        const std::uint64_t parts = options_.parts;
        for (std::uint64_t i = 0; i < std::min(parts, images_); i++) {
            const hsize_t count = (images_ - i - 1) / parts + 1;
            const hsize_t all[] = {count, page_.height, page_.width};
            const hsize_t first[] = {i, 0, 0}, step[] = {parts, 1, 1}, one[] = {1, page_.height, page_.width};
            const hsize_t times[] = {count, 1, 1};
            const Hdf5Handle source(check(H5Screate_simple(3, all, nullptr)), H5Sclose);
            check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, first, step, times, one));
            check(H5Pset_virtual(creation.get(), space.get(),
                                 names_->source(run_, static_cast<unsigned>(i)).c_str(), dataset_of_part,
                                 source.get()));
        }
        target.reserve(0);
        if (facts_)
            target.reserve(2 * (facts_->pipeline.size() + facts_->folder.size()));
        target.make_room_for(name);
        Hdf5Handle dataset(check(H5Dcreate2(target.file(), name.c_str(), type.get(), space.get(), links.get(),
                                            creation.get(), H5P_DEFAULT)),
                           H5Dclose);
        if (facts_)
            hdf5_sign_dataset(dataset.get(), *facts_);
        if (const auto range = range_ ? range_ : common_range(options_))
            hdf5_set_range(dataset.get(), *range);
        if (options_.length)
            hdf5_set_completeness(dataset.get(), length);
        if (facts_)
            target.reserve(hdf5_result_bytes({extent[0], extent[1], extent[2]}, *facts_));
        if (!dataset.close())
            throw hdf5_error(GST_RESOURCE_ERROR_WRITE, told);
        hdf5_remove_levels(target.file(), location_.dataset); // of what stood here before
        target.name_dataset();
        if (levels_)
            levels_->join(
                target, images_,
                [this](unsigned number) { return names_->source(run_, file_of_level(number)); },
                dataset_of_part, range_ ? range_ : common_range(options_));
        hdf5_write_volumes(target.file(), location_.dataset, options_.volume);
        if (facts_)
            hdf5_describe_result(target.file(), location_.dataset, *facts_, length);
        target.flush();
    }

    const Location location_;
    const WriteOptions options_;
    const OpenPart open_part_;
    NameClaim claim_{location_.text()};
    bool has_begun_ = false;
    std::optional<Hdf5Target> target_;
    std::optional<Hdf5PartNames> names_;
    std::optional<Hdf5PartRun> standing_; // whose images an earlier result has
    Hdf5PartRun run_;
    bool are_whole_ = false; // all images are in files, which NAME does not join yet
    ArrayInfo page_;
    std::optional<ValueRange> range_;
    std::optional<ResultFacts> facts_;
    std::vector<std::unique_ptr<ImageTarget>> parts_;
    std::unique_ptr<Hdf5PartsLevels> levels_; // where there is a pyramid
    std::uint64_t images_ = 0, there_ = 0;    // that came, and that an earlier run wrote
};

} // namespace

std::unique_ptr<ImageTarget> open_hdf5_parts(const Location &location, const WriteOptions &options,
                                             OpenPart open_part) {
    return std::make_unique<PartsWriter>(location, options, std::move(open_part));
}

} // namespace tomo::io

#endif // HAVE_HDF5
