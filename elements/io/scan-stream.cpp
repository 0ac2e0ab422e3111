// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scan-stream.hpp"

#include <gst/tomo/scan.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tomo::io {

void ScanPlan::choose_projections(unsigned first, unsigned step, unsigned number) {
    auto &images = scan.projections.images;
    if (first >= images.size())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("start is %u, but %s has %" G_GSIZE_FORMAT " projections, counted from 0", first,
                         scan.name.c_str(), images.size()));
    std::vector<ScanImages::Image> chosen;
    std::vector<double> angles;
    for (std::size_t i = first; i < images.size() && chosen.size() < number; i += step) {
        chosen.push_back(images[i]);
        if (!scan.angles.empty())
            angles.push_back(scan.angles[i]);
    }
    images = std::move(chosen);
    scan.angles = std::move(angles);
}

namespace {

// Reads parts of the images of one kind; for one thread.
class PartReader {
  public:
    PartReader(const ScanImages &images, const Part &part) : images_(images), part_(part) {}

    ArrayInfo info(std::size_t image, const RowRegion &rows) {
        open(image, rows);
        const auto page = images_.images[image].page;
        const auto &where = images_.files[images_.images[image].file];
        if (!reader_->has_page(page))
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("'%s': there is no page %" G_GSIZE_FORMAT, where.c_str(), page));
        return part_of(rows).of(reader_->info(page), "'" + where + "'");
    }

    void read(std::size_t image, const RowRegion &rows, void *destination, std::size_t row_stride) {
        open(image, rows);
        reader_->read_part(images_.images[image].page, part_of(rows), destination, row_stride);
    }

    const ImageReader &reader() const { return *reader_; }

  private:
    // Datasets take rows with each read; other files are opened for them.
    bool takes_rows() const { return type_of_suffix(split_location(file_).file) == FileType::Hdf5; }

    Part part_of(const RowRegion &rows) const {
        return {takes_rows() ? rows : RowRegion{}, part_.first_column, part_.columns};
    }

    void open(std::size_t image, const RowRegion &rows) {
        const auto &file = images_.files[images_.images[image].file];
        const bool same_rows =
            rows.first == rows_.first && rows.count == rows_.count && rows.step == rows_.step;
        if (reader_ && file == file_ && (takes_rows() || same_rows))
            return;
        file_ = file;
        rows_ = rows;
        ReadOptions options;
        if (!takes_rows())
            options.rows = rows;
        reader_ = open_reader(file, options);
    }

    const ScanImages &images_;
    const Part part_;
    std::unique_ptr<ImageReader> reader_;
    std::string file_;
    RowRegion rows_;
};

template <class Sample>
void add_samples(const void *from, std::vector<double> &sums) {
    const auto *samples = static_cast<const Sample *>(from);
    for (std::size_t i = 0; i < sums.size(); i++)
        sums[i] += samples[i];
}

using AddSamples = void (*)(const void *, std::vector<double> &);
AddSamples adder_of(const ArrayInfo &info) {
    switch (info.format) {
    case GST_TOMO_FORMAT_UINT8:
        return add_samples<std::uint8_t>;
    case GST_TOMO_FORMAT_UINT16:
        return add_samples<std::uint16_t>;
    case GST_TOMO_FORMAT_UINT32:
        return add_samples<std::uint32_t>;
    case GST_TOMO_FORMAT_INT16:
        return add_samples<std::int16_t>;
    case GST_TOMO_FORMAT_INT32:
        return add_samples<std::int32_t>;
    case GST_TOMO_FORMAT_FLOAT32:
        return add_samples<float>;
    case GST_TOMO_FORMAT_FLOAT64:
        return add_samples<double>;
    default:
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("darks and flats of %s can't be averaged for order=sinograms", info.describe().c_str()));
    }
}

} // namespace

void ScanStream::set_plan(std::shared_ptr<const ScanPlan> plan, const std::string &kind) {
    plan_ = std::move(plan);
    kind_ = kind;
    const auto &scan = plan_->scan;
    images_ = kind == "projections" ? &scan.projections
              : kind == "darks"     ? &scan.darks
              : kind == "flats"     ? &scan.flats
                                    : &scan.flats_after;
}

void ScanStream::require_images() const {
    if (images_->empty() && !may_be_empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("%s holds no %s; name where they are by the property %s, or leave the output alone",
                         plan_->scan.name.c_str(), kind_.c_str(), kind_.c_str()));
}

void ScanStream::start() {
    require_images();
    if (images_->empty())
        return;
    PartReader reader(*images_, plan_->part);
    image_ = reader.info(0, plan_->part.rows);
    if (image_.depth != 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s: %s are %s; images of a scan have one plane", plan_->scan.name.c_str(),
                         kind_.c_str(), image_.describe().c_str()));
    if (is_sinograms()) {
        // Darks and flats are cut into the stacks of the projections.
        PartReader projections(plan_->scan.projections, plan_->part);
        const auto size = projections.info(0, plan_->part.rows);
        if (size.height != image_.height)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s: %s have %u rows, but projections %u", plan_->scan.name.c_str(),
                             kind_.c_str(), image_.height, size.height));
        stack_ = choose_stack(projections.reader());
    }
    ahead_ = std::make_unique<ReadAhead>(
        *this, [this](std::uint64_t n) { return locate(n); }, [this] { return make_reader(); });
}

void ScanStream::stop() { ahead_.reset(); }

// Rows of the detector whose sinograms make one array.
unsigned ScanStream::choose_stack(const ImageReader &reader) const {
    if (plan_->stack)
        return std::min(plan_->stack, image_.height);
    constexpr std::uint64_t good = 64 << 20, most = 256 << 20;
    const auto sinogram =
        std::uint64_t{image_.width} * plan_->scan.projections.images.size() * image_.sample_size();
    const auto rows = [&](std::uint64_t bytes) { return std::max<std::uint64_t>(bytes / sinogram, 1); };
    // Whole chunks, or each is decompressed for several stacks.
    const std::uint64_t chunk = plan_->part.rows.step == 1 ? reader.rows_per_chunk() : 1;
    const auto wanted =
        chunk <= rows(most) ? std::max(rows(good) / chunk, std::uint64_t{1}) * chunk : rows(most);
    return static_cast<unsigned>(std::min<std::uint64_t>(wanted, image_.height));
}

std::optional<ReadAhead::Frame> ScanStream::locate(std::uint64_t n) const {
    if (!is_sinograms()) {
        if (n >= images_->images.size())
            return {};
        const auto &image = images_->images[n];
        return ReadAhead::Frame{n, image_.with_domain(GST_TOMO_DOMAIN_PROJECTION), images_->files[image.file],
                                image.page};
    }
    const std::uint64_t row = n * stack_;
    if (images_->empty() || row >= image_.height)
        return {};
    const auto rows = static_cast<unsigned>(std::min<std::uint64_t>(stack_, image_.height - row));
    auto info = image_.with_domain(GST_TOMO_DOMAIN_SINOGRAM);
    info = is_projections() ? info.with_size(image_.width, images_->images.size(), rows)
                            : info.with_size(image_.width, 1, rows).with_format(GST_TOMO_FORMAT_FLOAT32);
    return ReadAhead::Frame{n, info, images_->files[images_->images[0].file], row};
}

ReadAhead::Reader ScanStream::make_reader() const {
    const auto reader = std::make_shared<PartReader>(*images_, plan_->part);
    const auto require_size = [this, reader](std::size_t i, const RowRegion &rows, unsigned height) {
        const auto found = reader->info(i, rows);
        if (found != image_.with_size(image_.width, height))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s' holds an image of %s, but the first one of the %s is %s",
                             images_->files[images_->images[i].file].c_str(), found.describe().c_str(),
                             kind_.c_str(), image_.describe().c_str()));
    };
    const std::size_t row_bytes = image_.width * image_.sample_size();
    if (!is_sinograms())
        return [=](const ReadAhead::Frame &frame, void *to) {
            require_size(frame.number, plan_->part.rows, image_.height);
            reader->read(frame.number, plan_->part.rows, to, row_bytes);
        };
    const auto rows_of = [this](const ReadAhead::Frame &frame) {
        const auto &rows = plan_->part.rows;
        return RowRegion{static_cast<unsigned>(rows.first + frame.page * rows.step),
                         (frame.info.depth - 1) * rows.step + 1, rows.step};
    };
    if (is_projections())
        return [=](const ReadAhead::Frame &frame, void *to) {
            const auto rows = rows_of(frame);
            for (std::size_t i = 0; i < images_->images.size(); i++) {
                require_size(i, rows, frame.info.depth);
                reader->read(i, rows, static_cast<char *>(to) + i * row_bytes,
                             images_->images.size() * row_bytes);
            }
        };
    return [=, add = adder_of(image_)](const ReadAhead::Frame &frame, void *to) {
        const auto rows = rows_of(frame);
        std::vector<double> sums(frame.info.samples());
        std::vector<char> samples(frame.info.depth * row_bytes);
        for (std::size_t i = 0; i < images_->images.size(); i++) {
            require_size(i, rows, frame.info.depth);
            reader->read(i, rows, samples.data(), row_bytes);
            add(samples.data(), sums);
        }
        std::transform(sums.begin(), sums.end(), static_cast<float *>(to),
                       [&](double sum) { return float(sum / double(images_->images.size())); });
    };
}

std::optional<ArrayInfo> ScanStream::frame_info(std::uint64_t n) {
    const auto *frame = ahead_ ? ahead_->plan(n) : nullptr;
    return frame ? std::optional(frame->info) : std::nullopt;
}

Array ScanStream::frame(std::uint64_t, const ArrayInfo &) {
    ahead_->set_upload(output_is_on_device());
    return ahead_->take();
}

std::optional<std::uint64_t> ScanStream::frame_count() {
    if (!is_sinograms() || images_->empty())
        return images_->images.size();
    return (image_.height - 1) / stack_ + 1;
}

EventRef ScanStream::scan_event() {
    const auto &scan = plan_->scan;
    tomo::Scan event;
    event.axis_position = scan.axis_position - plan_->part.first_column;
    event.pixel_size = scan.pixel_size;
    event.energy = scan.energy;
    event.distance = scan.distance;
    if (is_projections())
        event.angles = scan.angles;
    if (is_projections() && scan.has_order) {
        for (const auto &image : scan.projections.images)
            event.frames.push_back(double(image.number));
        const auto mean = [](const ScanImages &images) {
            double sum = 0.0;
            for (const auto &image : images.images)
                sum += double(image.number);
            return sum / double(images.images.size()); // NaN where there are none
        };
        event.flats_frame = mean(scan.flats);
        event.flats_after_frame = mean(scan.flats_after);
    }
    return event.to_event();
}

void ScanStream::describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) {
    if (is_sinograms()) {
        meta.source = g_strdup(images_->files[0].c_str());
        return;
    }
    const auto &image = images_->images[n];
    meta.index = image.number;
    meta.source = g_strdup(images_->files[image.file].c_str());
    if (is_projections() && !plan_->scan.angles.empty())
        meta.angle = plan_->scan.angles[n];
}

} // namespace tomo::io
