// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "parts.hpp"
#include "file.hpp"
#include "result.hpp"
#include "target.hpp"
#include "types.hpp"
#include <gst/files/output-names.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace tomo::io {

namespace fs = std::filesystem;

namespace {

constexpr char dataset_of_part[] = "/data";

class PartsWriter final : public ImageTarget {
  public:
    PartsWriter(const Location &location, const WriteOptions &options, OpenPart open_part)
        : location_(location), options_(options), open_part_(std::move(open_part)),
          folder_(location.file + ".parts"), letter_(choose_letter()) {
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
        if (!options_.resume)
            remove_files(letter_);
        fs::create_directories(folder_);
        WriteOptions options = options_;
        options.length = {};
        options.facts = {};
        options.add_final_facts = {};
        options.parts = 1;
        options.threads = 2;
        options.most_bytes_under_way =
            std::max<std::uint64_t>(options_.most_bytes_under_way / options_.parts, 1);
        for (unsigned i = 0; i < options_.parts; i++) {
            parts_.push_back(open_part_({escaped(path_of(i)), dataset_of_part}, options));
            if (range_)
                parts_.back()->set_range(*range_);
        }
    }

    void set_range(const ValueRange &range) override { range_ = range; }

    void write(const ImageToWrite &image) override {
        begin(image.info().with_size(image.info().width, image.info().height, 1));
        if (!facts_ && options_.facts)
            facts_ = options_.facts();
        for (unsigned i = 0; i < image.info().depth; i++)
            part_of(images_++).write(image.plane(i));
    }

    void settle() override {
        for (auto &part : parts_)
            part->settle();
    }

    std::uint64_t images_there(const ArrayInfo &info) override {
        if (!options_.resume)
            return 0;
        const auto page = info.with_size(info.width, info.height, 1);
        begin(page);
        // All before the first one that is not there.
        std::uint64_t first = G_MAXUINT64;
        for (std::size_t i = 0; i < parts_.size(); i++)
            first = std::min(first, parts_[i]->images_there(page) * parts_.size() + i);
        return first / info.depth;
    }

    void skip(const ArrayInfo &info, std::uint64_t images) override {
        const auto page = info.with_size(info.width, info.height, 1);
        for (std::uint64_t i = 0; i < images * info.depth; i++)
            part_of(images_++).skip(page, 1);
    }

    void finish() override {
        if (images_ == 0)
            return;
        for (auto &part : parts_)
            part->finish();
        parts_.clear();
        write_virtual_dataset();
        remove_files(letter_ == 'a' ? 'b' : 'a');
    }

    std::string abandon() noexcept override {
        std::string said;
        for (auto &part : parts_)
            if (const auto kept = part->abandon(); !kept.empty())
                said += (said.empty() ? "" : ", ") + kept;
        parts_.clear();
        std::error_code ignored;
        fs::remove(folder_, ignored); // if it is empty
        return said;
    }

  private:
    std::string path_of(unsigned part) const { return folder_ + "/" + name_of(part); }
    std::string name_of(unsigned part) const { return text("%c-%03u.h5", letter_, part); }

    // A name, not a pattern.
    static std::string escaped(const std::string &name) {
        std::string literal;
        for (const char c : name)
            literal += c == '%' ? "%%" : std::string(1, c);
        return literal;
    }

    // Of files that no result stands upon. What is resumed has files under way, or all of them.
    char choose_letter() const {
        const auto is_there = [&](const std::string &name) {
            std::error_code ignored;
            return fs::exists(folder_ + "/" + name, ignored);
        };
        const bool has_a = is_there("a-000.h5");
        if (options_.resume)
            return is_there("b-000.h5") || is_there(partial_name("b-000.h5")) ? 'b' : 'a';
        return has_a ? 'b' : 'a';
    }

    // Those of this writer alone.
    void remove_files(char letter) const {
        std::error_code ignored;
        for (const auto &entry : fs::directory_iterator(folder_, ignored)) {
            unsigned number;
            char first, rest[16] = "";
            if (std::sscanf(entry.path().filename().c_str(), "%c-%3u.h5%15s", &first, &number, rest) >= 2 &&
                first == letter && (!*rest || std::string_view(rest) == ".partial"))
                fs::remove(entry.path(), ignored);
        }
    }

    ImageTarget &part_of(std::uint64_t image) { return *parts_[image % parts_.size()]; }

    void write_virtual_dataset() {
        if (facts_ && options_.add_final_facts)
            options_.add_final_facts(*facts_);
        const auto length = options_.length ? options_.length() : StreamLength{};
        const Hdf5Lock lock;
        Hdf5Target target(location_, Existing::Replace, options_);
        try {
            target.begin();
            write_virtual_dataset(target, length);
        } catch (...) {
            target.give_up();
            target.abandon(true);
            throw;
        }
        target.publish();
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
        const auto folder = fs::path(folder_).filename().string();
        const std::uint64_t parts = options_.parts;
        for (std::uint64_t part = 0; part < std::min(parts, images_); part++) {
            const hsize_t count = (images_ - part - 1) / parts + 1;
            const hsize_t all[] = {count, page_.height, page_.width};
            const hsize_t first[] = {part, 0, 0}, step[] = {parts, 1, 1},
                          one[] = {1, page_.height, page_.width};
            const hsize_t times[] = {count, 1, 1};
            const Hdf5Handle source(check(H5Screate_simple(3, all, nullptr)), H5Sclose);
            check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, first, step, times, one));
            check(H5Pset_virtual(creation.get(), space.get(),
                                 (folder + "/" + name_of(static_cast<unsigned>(part))).c_str(),
                                 dataset_of_part, source.get()));
        }
        H5Sselect_all(space.get());
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
        target.name_dataset();
        hdf5_write_volumes(target.file(), location_.dataset, options_.volume);
        if (facts_)
            hdf5_describe_result(target.file(), location_.dataset, *facts_, length);
        target.flush();
    }

    const Location location_;
    const WriteOptions options_;
    const OpenPart open_part_;
    const std::string folder_;
    const char letter_;
    NameClaim claim_{location_.text()};
    bool has_begun_ = false;
    ArrayInfo page_;
    std::optional<ValueRange> range_;
    std::optional<ResultFacts> facts_;
    std::vector<std::unique_ptr<ImageTarget>> parts_;
    std::uint64_t images_ = 0;
};

} // namespace

std::unique_ptr<ImageTarget> open_hdf5_parts(const Location &location, const WriteOptions &options,
                                             OpenPart open_part) {
    return std::make_unique<PartsWriter>(location, options, std::move(open_part));
}

} // namespace tomo::io

#endif // HAVE_HDF5
