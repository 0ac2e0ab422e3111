// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/image-reader.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/reconstruction/result-slices.hpp>
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

// The images of a result, in one file or in a series of them.
class Images {
  public:
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

    // Whether a part of an image is read by itself.
    bool takes_parts() const {
        const auto type = io::type_of_suffix(io::split_location(outputs_.front()).file);
        return reader_ && reader_->rows_per_chunk() == 1 &&
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

// Adds a line of both slices that cross the image: its row and its column in the middle.
void cross(Images &images, unsigned image, ResultSlice &normal_to_y, ResultSlice &normal_to_x,
           unsigned step) {
    auto [reader, page] = images.find(image);
    const unsigned row = normal_to_y.number, column = normal_to_x.number;
    if (images.takes_parts()) {
        ReadPart(reader, page, {{row, 1, 1}, 0, 0}).add_row(0, step, normal_to_y.picture);
        ReadPart(reader, page, {{0, 0, step}, column, 1}).add_column(0, 1, normal_to_x.picture);
        return;
    }
    const ReadPart whole(reader, page, {});
    whole.add_row(row, step, normal_to_y.picture);
    whole.add_column(column, step, normal_to_x.picture);
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
    found[0] = {{}, "x", "y", shown - first, step, step, width, height};
    found[1] = {{}, "x", "z", height / 2, step, 1, width, slices};
    found[2] = {{}, "y", "z", width / 2, step, 1, height, slices};
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
    // The time of an image says how many there can be; not of that which was just read.
    const auto begin = Clock::now();
    cross(images, first + (shown - first + (there - first) / 2) % (there - first), found[1], found[2], step);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, most_threads);
    const unsigned affordable =
        static_cast<unsigned>(std::clamp(most_seconds * threads / seconds, 16.0, 1e6));
    const unsigned count = there - first,
                   every = std::max(step_of(count), count_of(count, std::min(affordable, count)));
    for (auto *slice : {&found[1], &found[2]}) {
        slice->picture.values.clear();
        slice->picture.width = count_of(width, step);
        slice->picture.height = count_of(count, every);
        slice->step_down = every;
        slice->height = count;
    }
    // Each thread reads lines that follow each other; the first one has opened the result already.
    const unsigned lines = count_of(count, every);
    const auto read_lines = [first, every, step, empty = std::pair{found[1], found[2]}](
                                Images &from, unsigned begin_line, unsigned end_line) {
        auto part = empty;
        for (unsigned line = begin_line; line < end_line; line++)
            cross(from, first + line * every, part.first, part.second, step);
        return part;
    };
    std::vector<std::future<std::pair<ResultSlice, ResultSlice>>> parts;
    for (unsigned i = 0; i < threads; i++)
        parts.push_back(std::async(std::launch::async, [&, i] {
            const unsigned begin_line = lines * i / threads, end_line = lines * (i + 1) / threads;
            if (i == 0)
                return read_lines(images, begin_line, end_line);
            Images own(plan);
            return read_lines(own, begin_line, end_line);
        }));
    for (auto &part : parts) {
        const auto [normal_to_y, normal_to_x] = part.get();
        const auto append = [](Picture &to, const Picture &from) {
            to.values.insert(to.values.end(), from.values.begin(), from.values.end());
        };
        append(found[1].picture, normal_to_y.picture);
        append(found[2].picture, normal_to_x.picture);
    }
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
