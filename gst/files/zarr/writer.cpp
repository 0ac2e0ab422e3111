// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "writer.hpp"
#include "attributes.hpp"
#include "folder.hpp"
#include "volume.hpp"

#include <gst/files/file-writer.hpp>
#include <gst/files/ordered-work.hpp>
#include <gst/files/output-names.hpp>
#include <gst/files/share-work.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace tomo::io {

namespace {

// Of the level whose values say which of them a viewer shows.
constexpr std::uint64_t most_samples_of_window = 4 << 20;

class ZarrWriter final : public ImageTarget {
  public:
    ZarrWriter(const std::string &name, const WriteOptions &options)
        : name_(name), options_(options), claim_(name) {
        const auto refuse = [&](const char *why) {
            throw Error(GST_RESOURCE_ERROR_SETTINGS, text("'%s': %s", name.c_str(), why));
        };
        if (options.append)
            refuse(
                "append is set, but an image of OME-Zarr can't be continued by other images; write another one");
        if (has_range_per_page(options))
            refuse(
                "range-per-image is set, but all samples of an image of OME-Zarr stand for values of one range; "
                "set minimum and maximum instead");
        if (options.deflate > 0)
            refuse("compression is for HDF5; OME-Zarr is written as it is");
    }
    ~ZarrWriter() override { abandon(); }

    void begin(const ArrayInfo &page) override {
        if (folder_)
            return;
        if (page.samples() == 0 || page.sample_size() == 0)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("an image of %s can't be written", page.describe().c_str()));
        page_ = page;
        chunks_ = chunk_sizes(options_.chunks.empty() ? "cube" : options_.chunks, page);
        // A single image needs no room for more in its chunks.
        if (const auto length = options_.length ? options_.length() : StreamLength{}; length.announced)
            chunks_.images =
                static_cast<unsigned>(std::clamp<std::uint64_t>(*length.announced, 1, chunks_.images));
        folder_.emplace(name_, options_.resume, options_.fsync);
        there_ = folder_->images();
        if (there_ > 0)
            check_earlier();
        else
            describe(0);
    }

    void set_range(const ValueRange &range) override {
        options_.minimum = range.minimum;
        options_.maximum = range.maximum;
    }

    void write(const ImageToWrite &image) override {
        for (unsigned i = 0; i < image.info().depth; i++)
            add(image.plane(i));
    }
    void settle() override {
        if (work_)
            work_->settle();
    }

    std::uint64_t images_there(const ArrayInfo &info) override {
        if (!options_.resume)
            return 0;
        begin(page_of(info));
        return there_ / info.depth;
    }
    void skip(const ArrayInfo &info, std::uint64_t images) override {
        begin(page_of(info));
        images_ += images * info.depth;
        if (images_ > there_)
            throw Error(GST_RESOURCE_ERROR_FAILED, "an image to be left out is not there");
    }

    void finish() override {
        settle();
        work_.reset();
        if (!folder_)
            return;
        if (folder_->is_named()) { // all of it was there
            folder_.reset();
            return;
        }
        write_rest();
        const auto images = std::max(images_, there_);
        if (facts_ && options_.add_final_facts)
            options_.add_final_facts(*facts_);
        volume().finish(images);
        describe(images);
        folder_->publish();
        folder_.reset();
    }

    std::string abandon() noexcept override {
        work_.reset();
        std::string said;
        try {
            if (folder_ && !folder_->is_named())
                said = describe_remains();
        } catch (const std::exception &e) {
            g_warning("'%s': cannot keep the images already written: %s", name_.c_str(), e.what());
        }
        group_.reset();
        folder_.reset();
        return said;
    }

  private:
    // An image that is not there yet.
    class Put final : public OrderedWork::Job {
      public:
        Put(ZarrWriter &writer, std::shared_ptr<ZarrGroup> group, unsigned place, const ImageToWrite &image)
            : writer_(writer), group_(std::move(group)), place_(place), image_(image) {}
        void work() override { group_->put(place_, image_.samples()); }
        void run_in_order() override { writer_.count(*group_, place_ + 1); }

      private:
        ZarrWriter &writer_;
        const std::shared_ptr<ZarrGroup> group_;
        const unsigned place_;
        const ImageToWrite image_;
    };

    // One that an interrupted run has written, and that must be the same.
    class Check final : public OrderedWork::Job {
      public:
        Check(const ZarrWriter &writer, std::uint64_t number, const ImageToWrite &image)
            : writer_(writer), number_(number), image_(image) {}
        void work() override {
            std::vector<char> there(image_.info().size());
            writer_.read(number_, there.data());
            if (std::memcmp(there.data(), image_.samples(), there.size()) != 0)
                throw Error(
                    GST_RESOURCE_ERROR_SETTINGS,
                    text("'%s' can't be resumed: its image %" G_GUINT64_FORMAT
                         " (counted from 0) is not what comes now; the interrupted run had other input or "
                         "settings. Remove it, write to another name, or set resume=false",
                         writer_.name_.c_str(), number_));
        }
        void run_in_order() override {}

      private:
        const ZarrWriter &writer_;
        const std::uint64_t number_;
        const ImageToWrite image_;
    };

    static ArrayInfo page_of(const ArrayInfo &info) { return info.with_size(info.width, info.height, 1); }

    bool wants_pyramid() const { return options_.pyramid != WriteOptions::Pyramid::No; }

    // Of what an earlier run left.
    void check_earlier() const {
        const ZarrArray array(folder_->path() + "/0");
        const auto &grid = array.grid();
        const ZarrSizes wanted{chunks_.images, chunks_.rows, chunks_.columns};
        const bool is_alike = grid.format == page_.format &&
                              array.image().plane_samples() == page_.plane_samples() &&
                              array.image().width == page_.width;
        if (is_alike && grid.chunk == wanted)
            return;
        throw Error(
            GST_RESOURCE_ERROR_OPEN_WRITE,
            text("'%s' can't be resumed: it holds images of %s%s, and those that come are %s; remove it, or "
                 "write to another name",
                 folder_->path().c_str(), array.image().describe().c_str(),
                 is_alike ? " in other chunks" : "", page_.describe().c_str()));
    }

    void read(std::uint64_t image, char *to) const {
        ZarrGrid grid{page_.format,
                      {there_, page_.height, page_.width},
                      {chunks_.images, chunks_.rows, chunks_.columns}};
        ZarrArray(folder_->path() + "/0", grid).read(image, {}, to, page_.width * page_.sample_size());
    }

    void add(const ImageToWrite &image) {
        begin(image.info());
        const auto &info = image.info();
        if (info.format != page_.format || info.width != page_.width || info.height != page_.height)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("'%s' holds images of %s, one of %s can't be among them; write TIFF files, or another "
                     "image of OME-Zarr",
                     name_.c_str(), page_.describe().c_str(), info.describe().c_str()));
        if (!facts_ && options_.facts)
            facts_ = options_.facts();
        if (!work_)
            work_ = std::make_unique<OrderedWork>(options_.threads ? options_.threads : threads_for_writing(),
                                                  options_.most_bytes_under_way, options_.report);
        const auto number = images_++;
        if (number < there_) {
            work_->add(std::make_unique<Check>(*this, number, image), image.bytes_in_memory());
            return;
        }
        const auto place = static_cast<unsigned>(number % volume().images_of_group());
        if (place == 0)
            group_ = volume().group(number);
        else if (!group_)
            group_ = group_of_earlier(number - place, place);
        work_->add(std::make_unique<Put>(*this, group_, place, image),
                   image.bytes_in_memory() + info.size()); // and its place in the group
    }

    ZarrVolume &volume() {
        if (!volume_) {
            if (folder_->is_named()) {
                settle(); // images are compared where they are
                folder_->take_back();
            }
            volume_ = std::make_unique<ZarrVolume>(folder_->path(), page_, chunks_, wants_pyramid(),
                                                   options_.most_bytes_under_way);
        }
        return *volume_;
    }

    // The first images of a group, from the files of a run that ended within it.
    std::shared_ptr<ZarrGroup> group_of_earlier(std::uint64_t first, unsigned images) {
        auto group = volume().group(first);
        std::vector<char> image(page_.size());
        for (unsigned i = 0; i < images; i++) {
            read(first + i, image.data());
            group->put(i, image.data());
        }
        return group;
    }

    // In order: the first `images` of the group are in it.
    void count(const ZarrGroup &group, unsigned images) {
        counted_ = group.first;
        in_group_ = images;
        if (images == volume_->images_of_group())
            write_group(group);
    }

    void write_group(const ZarrGroup &group) {
        volume_->write(group, in_group_);
        folder_->note(group.first + std::exchange(in_group_, 0));
    }

    // Not behind a group that could not be written.
    void write_rest() {
        if (group_ && in_group_ > 0 && group_->first == counted_)
            write_group(*group_);
        group_.reset();
    }

    // Writes what the files of the folder say about themselves.
    void describe(std::uint64_t images) {
        const ZarrVolume levels(folder_->path(), page_, chunks_, wants_pyramid(), 0);
        folder_->write(".zgroup", "{\"zarr_format\": 2}\n");
        for (const auto &[name, contents] : levels.descriptions(images))
            folder_->write(name, contents);
        OmeImage image;
        image.name = std::filesystem::path(name_).stem().stem().string();
        image.levels = levels.levels();
        if (facts_)
            image.facts = *facts_;
        if (options_.length)
            image.length = options_.length();
        image.grey = common_range(options_);
        find_window(levels, images, image);
        folder_->write(".zattrs", ome_attributes(image));
    }

    void find_window(const ZarrVolume &levels, std::uint64_t images, OmeImage &image) const {
        if (page_.is_complex())
            return;
        std::size_t level = 0;
        ArrayInfo plane = page_;
        while (level + 1 < levels.levels() && plane.samples() * images > most_samples_of_window) {
            level++;
            images = half_of(images);
            plane = plane.with_size(half_of(plane.width), half_of(plane.height));
        }
        auto grid = levels.grid(level);
        grid.shape[0] = images;
        const ZarrArray array(folder_->path() + "/" + std::to_string(level), grid);
        std::vector<float> values;
        std::vector<double> samples(plane.size() / sizeof(double) + 1); // so that all types are aligned
        const auto step = std::max<std::uint64_t>(images * plane.samples() / most_samples_of_window, 1);
        for (std::uint64_t i = 0; i < images; i += step) {
            array.read(i, {}, samples.data(), plane.width * plane.sample_size());
            image.all.include(plane, samples.data());
            with_real_samples(plane.format, samples.data(), [&](const auto *numbers) {
                std::transform(numbers, numbers + plane.samples(), std::back_inserter(values),
                               [](auto number) { return static_cast<float>(number); });
            });
        }
        if (image.all.is_empty() || values.empty())
            return;
        const auto [low, high] = percentiles(std::move(values), darkest, brightest);
        image.window = {low, high};
    }

    std::string describe_remains() {
        const auto came = std::max(images_, there_);
        try {
            write_rest();
        } catch (const Error &) { // that of a full disk; what was noted before is there
        }
        const auto images = folder_->images();
        if (images == 0) {
            folder_->remove();
            return {};
        }
        describe(images);
        return io::describe(Remains{images, folder_->path(), came - std::min(came, images)});
    }

    const std::string name_;
    WriteOptions options_;
    const NameClaim claim_;
    ArrayInfo page_;
    ChunkSizes chunks_;
    std::optional<ZarrFolder> folder_;
    std::optional<ResultFacts> facts_;
    std::unique_ptr<ZarrVolume> volume_;
    std::shared_ptr<ZarrGroup> group_;     // to which images are added
    std::uint64_t counted_ = 0;            // the first image of the group that images were put into last
    unsigned in_group_ = 0;                // of them, those whose samples are in it
    std::uint64_t images_ = 0, there_ = 0; // that came, and that an earlier run wrote
    std::unique_ptr<OrderedWork> work_;    // last: its threads use the others
};

} // namespace

std::unique_ptr<ImageTarget> open_zarr_writer(const std::string &name, const WriteOptions &options) {
    return std::make_unique<ZarrWriter>(name, options);
}

} // namespace tomo::io
