// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/halving.hpp>
#include <gst/files/image-reader.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/reconstruction/report/result-slices.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <thread>

namespace tomo::reconstruction {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned most_samples = 800; // along each axis
constexpr double most_seconds = 0.15;  // for the slices that cross all images
constexpr unsigned most_threads = 8;   // that read them

unsigned step_of(unsigned samples) { return (samples + most_samples - 1) / most_samples; }
unsigned count_of(unsigned samples, unsigned step) { return (samples + step - 1) / step; }

// The images of a result, in one file or in a series of them, or those of a level of its pyramid.
class Images {
  public:
    Images(const std::string &level, unsigned images) : outputs_{level}, per_output_(images) {}
    explicit Images(const Plan &plan) : outputs_(plan.outputs()), per_output_(plan.shape.depth) {
        if (outputs_.size() > 1)
            per_output_ = plan.shape.depth / static_cast<unsigned>(outputs_.size());
    }

    // How many are there without a gap.
    unsigned count() {
        unsigned count = 0;
        for (const auto &output : outputs_) {
            const io::NumberPattern pattern(io::split_location(output).file);
            unsigned of_output = 0;
            if (!pattern.has_number())
                of_output = static_cast<unsigned>(find(count).first.pages());
            else
                while (of_output < per_output_ &&
                       g_file_test(pattern.name(of_output).c_str(), G_FILE_TEST_EXISTS))
                    of_output++;
            count += of_output;
            if (of_output < per_output_)
                break;
        }
        return count;
    }

    // The reader with an image, and the page that it is.
    std::pair<io::ImageReader &, std::size_t> find(unsigned image) {
        const auto &output = outputs_.at(image / per_output_);
        const unsigned number = image % per_output_;
        auto place = io::split_location(output);
        const io::NumberPattern pattern(place.file);
        if (!pattern.has_number()) {
            if (!reader_)
                reader_ = io::open_reader(output);
            return {*reader_, number};
        }
        place.file = pattern.name(number);
        reader_ = io::open_reader(place.text());
        return {*reader_, 0};
    }

    // Whether a part of an image is read by itself, also where chunks of several images are decompressed,
    // which are kept for the next ones.
    bool takes_parts() const {
        const auto type = io::type_of_suffix(io::split_location(outputs_.front()).file);
        return reader_ && (reader_->rows_per_chunk() == 1 || reader_->pages_per_chunk() > 1) &&
               (type == io::FileType::Hdf5 || type == io::FileType::Tiff || type == io::FileType::Zarr);
    }

  private:
    const std::vector<std::string> outputs_;
    unsigned per_output_;
    std::unique_ptr<io::ImageReader> reader_;
};

// A part of an image.
class ReadPart {
  public:
    ReadPart(io::ImageReader &reader, std::size_t page, const io::Part &part) {
        info_ = part.of(reader.info(page), "the result");
        memory_.resize(info_.size() / sizeof(double) + 1);
        reader.read_part(page, part, memory_.data(), info_.width * info_.sample_size());
    }

    // Add every n-th sample of a row, of a column, or of each row.
    void add_row(unsigned y, unsigned every, Picture &to) const {
        add(std::uint64_t{y} * info_.width, info_.width, 1, every, to);
    }
    void add_column(unsigned x, unsigned every, Picture &to) const {
        add(x, info_.height, info_.width, every, to);
    }
    void add_rows(unsigned every, Picture &to) const {
        for (unsigned y = 0; y < info_.height; y++)
            add_row(y, every, to);
    }

  private:
    void add(std::uint64_t first, std::uint64_t count, std::uint64_t stride, unsigned every,
             Picture &to) const {
        with_real_samples(info_.format, memory_.data(), [&](const auto *samples) {
            for (std::uint64_t i = 0; i < count; i += every)
                to.values.push_back(static_cast<float>(samples[first + i * stride]));
        });
    }

    ArrayInfo info_;
    std::vector<double> memory_; // so that samples of every type are aligned
};

// Lines of both slices that cross the images: the row and the column in their middle.
class Crossing {
  public:
    Crossing(const ArrayInfo &image, unsigned step)
        : row_(image.height / 2), column_(image.width / 2), width_(image.width), step_(step) {}

    void add(Images &images, unsigned image) {
        auto [reader, page] = images.find(image);
        if (!images.takes_parts()) {
            const ReadPart whole(reader, page, {});
            whole.add_row(row_, step_, normal_to_y);
            whole.add_column(column_, step_, normal_to_x);
            return;
        }
        ReadPart(reader, page, {{row_, 1, 1}, 0, 0}).add_row(0, step_, normal_to_y);
        // Rows of a chunk, or of the image, lie behind each other. Short ones are read faster than a sample
        // of each.
        const auto stored = reader.columns_per_chunk();
        const unsigned together =
            stored == 0 ? width_ : static_cast<unsigned>(std::min<std::uint64_t>(stored, width_));
        if (together * reader.info(page).sample_size() * step_ > most_bytes) {
            ReadPart(reader, page, {{0, 0, step_}, column_, 1}).add_column(0, 1, normal_to_x);
            return;
        }
        const unsigned first = column_ / together * together;
        ReadPart(reader, page, {{}, first, std::min(together, width_ - first)})
            .add_column(column_ - first, step_, normal_to_x);
    }

    Picture normal_to_y, normal_to_x;

  private:
    static constexpr std::size_t most_bytes = 4096; // from a sample to the next one
    unsigned row_, column_, width_, step_;
};

// A level of the pyramid beside a result.
struct Level {
    std::string name;
    unsigned factor = 1; // 2, 4, ...
    ArrayInfo image;
    unsigned images = 0;
};

// The first one that has no more samples than a picture, if it is there and whole.
std::optional<Level> level_for_pictures(const Plan &plan, unsigned images) {
    const auto outputs = plan.outputs();
    const auto place = io::split_location(outputs.front());
    const auto type = io::type_of_suffix(place.file);
    if (outputs.size() != 1 || plan.turns != 1 || (type != io::FileType::Hdf5 && type != io::FileType::Zarr))
        return {};
    Level level{{}, 1, plan.shape.with_size(plan.shape.width, plan.shape.height, 1), images};
    unsigned number = 0;
    for (; std::max(level.image.width, level.image.height) > most_samples; number++, level.factor *= 2) {
        level.image =
            level.image.with_size(io::half_of(level.image.width), io::half_of(level.image.height), 1);
        level.images = io::half_of(level.images);
    }
    if (number == 0)
        return {};
    level.name = place.file + ":" + place.dataset + io::level_suffix(type, number);
    try {
        const auto reader = io::open_reader(level.name);
        const auto info = reader->info(0);
        if (info.width == level.image.width && info.height == level.image.height &&
            reader->pages() == level.images)
            return level;
    } catch (const Error &) { // there is none
    }
    return {};
}

// Images that the slices cross, and which of them was just read.
struct Lines {
    unsigned first, count, read;
};

// Fills the slices normal to y and x, in several threads. `open` opens the images for one of them.
template <class Open>
void cross_all(Open open, const Lines &lines, const ArrayInfo &image, unsigned step, ResultSlice &normal_to_y,
               ResultSlice &normal_to_x) {
    const auto [first, count, read] = lines;
    auto images = open();
    // The time of an image says how many there can be; not of that which was just read.
    const unsigned tried = first + (read + count / 2) % count;
    const auto decoded_together = images.find(tried).first.pages_per_chunk();
    const auto begin = Clock::now();
    Crossing(image, step).add(images, tried);
    const auto together = static_cast<unsigned>(std::min<std::uint64_t>(decoded_together, count));
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count() / together;
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, most_threads);
    const unsigned affordable =
        static_cast<unsigned>(std::clamp(most_seconds * threads / seconds, 16.0, 1e6));
    const unsigned every = std::max(step_of(count), count_of(count, std::min(affordable, count)));
    const unsigned all = count_of(count, every), in_chunk = count_of(together, every);
    // Each thread reads lines that follow each other, and whole chunks; the first one has opened the images
    // already.
    const auto first_of = [&](unsigned thread) {
        return thread == threads ? all : all * thread / threads / in_chunk * in_chunk;
    };
    const auto read_lines = [&](Images &from, unsigned thread) {
        Crossing part(image, step);
        for (unsigned line = first_of(thread); line < first_of(thread + 1); line++)
            part.add(from, first + line * every);
        return part;
    };
    std::vector<std::future<Crossing>> parts;
    for (unsigned i = 0; i < threads; i++)
        parts.push_back(std::async(std::launch::async, [&, i] {
            if (i == 0)
                return read_lines(images, i);
            auto own = open();
            return read_lines(own, i);
        }));
    for (auto &part : parts) {
        const auto crossing = part.get();
        const auto append = [](Picture &to, const Picture &from) {
            to.values.insert(to.values.end(), from.values.begin(), from.values.end());
        };
        append(normal_to_y.picture, crossing.normal_to_y);
        append(normal_to_x.picture, crossing.normal_to_x);
    }
    for (auto *slice : {&normal_to_y, &normal_to_x}) {
        const unsigned across = slice == &normal_to_y ? image.width : image.height;
        slice->picture.width = count_of(across, step);
        slice->picture.height = all;
        slice->step_across = step;
        slice->step_down = every;
    }
}

// The middle image, or the last one before it of its turn, where so many images are there.
unsigned shown_image(const Plan &plan, const Middle &middle, unsigned there) {
    const unsigned slices = plan.shape.depth / plan.turns, first = middle.image / slices * slices;
    if (there <= first)
        throw Error(GST_RESOURCE_ERROR_READ, "no slice of the result is there");
    return std::min(middle.image, there - 1);
}

} // namespace

std::vector<ResultSlice> middle_slices(const Plan &plan, const Middle &middle) {
    Images images(plan);
    const unsigned slices = plan.shape.depth / plan.turns, first = middle.image / slices * slices;
    const unsigned width = plan.shape.width, height = plan.shape.height, step = step_of(width);
    const unsigned there = std::min(images.count(), first + slices), shown = shown_image(plan, middle, there);

    std::vector<ResultSlice> found(3);
    found[0] = {{}, "x", "y", shown - first, step, step, 1, width, height};
    found[1] = {{}, "x", "z", height / 2, step, 1, 1, width, slices};
    found[2] = {{}, "y", "z", width / 2, step, 1, 1, height, slices};
    {
        auto [reader, page] = images.find(shown);
        ReadPart(reader, page, {{0, 0, step}, 0, 0}).add_rows(step, found[0].picture);
        found[0].picture.width = count_of(width, step);
        found[0].picture.height = count_of(height, step);
    }
    if (there - first < 2) {
        found.resize(1);
        return found;
    }
    const auto level = level_for_pictures(plan, there);
    if (level) {
        cross_all([&] { return Images(level->name, level->images); }, Lines{0, level->images, 0},
                  level->image, 1, found[1], found[2]);
        for (auto *slice : {&found[1], &found[2]})
            slice->factor = level->factor;
    } else {
        cross_all([&] { return Images(plan); }, Lines{first, there - first, shown - first},
                  plan.shape.with_size(width, height, 1), step, found[1], found[2]);
    }
    for (auto *slice : {&found[1], &found[2]})
        slice->height = there - first;
    return found;
}

Picture slice_of(const Plan &plan, unsigned image) {
    Images images(plan);
    auto [reader, page] = images.find(image);
    Picture picture;
    picture.width = plan.shape.width;
    picture.height = plan.shape.height;
    picture.values.reserve(plan.shape.plane_samples());
    ReadPart(reader, page, {}).add_rows(1, picture);
    return picture;
}

Picture middle_slice(const Plan &plan, const Middle &middle) {
    return slice_of(plan, shown_image(plan, middle, Images(plan).count()));
}

} // namespace tomo::reconstruction
