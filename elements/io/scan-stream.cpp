// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scan-stream.hpp"
#include "half.hpp"
#include "input-file.hpp"

#include <gst/tomo/scan.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

namespace tomo::io {

void ScanPlan::find() {
    scan = find_scan(request);
    std::vector<std::string> files;
    for (const auto *kind : {&scan.projections, &scan.darks, &scan.flats, &scan.flats_after})
        files.insert(files.end(), kind->files.begin(), kind->files.end());
    claim = InputClaim(std::move(files));
    auto &images = scan.projections.images;
    if (start >= images.size())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("start is %u, but %s has %" G_GSIZE_FORMAT " projections, counted from 0", start,
                         scan.name.c_str(), images.size()));
    std::vector<ScanImages::Image> chosen;
    std::vector<double> angles;
    for (std::size_t i = start; i < images.size() && chosen.size() < number; i += step) {
        chosen.push_back(images[i]);
        if (!scan.angles.empty())
            angles.push_back(scan.angles[i]);
    }
    images = std::move(chosen);
    scan.angles = std::move(angles);
}

namespace {

// Reads parts of images; for one thread.
class PartReader {
  public:
    PartReader(const Part &part, const ScanImages &images, bool follow)
        : part_(part), type_(images.type), one_page_each_(images.one_page_each), follow_(follow) {}

    ArrayInfo info(const std::string &file, std::size_t page, const RowRegion &rows) {
        open(file, rows);
        if (!reader_->has_page(page))
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("'%s': there is no page %" G_GSIZE_FORMAT, file.c_str(), page));
        return part_of(rows).of(reader_->info(page), "'" + file + "'");
    }

    void read(const std::string &file, std::size_t page, const RowRegion &rows, void *destination,
              std::size_t row_stride) {
        open(file, rows);
        reader_->read_part(page, part_of(rows), destination, row_stride);
    }

    const ImageReader &reader() const { return *reader_; }

  private:
    // Datasets take rows with each read; other files are opened for them.
    bool takes_rows() const {
        return type_ == FileType::Hdf5 || type_of_suffix(split_location(file_).file) == FileType::Hdf5;
    }

    Part part_of(const RowRegion &rows) const {
        return {takes_rows() ? rows : RowRegion{}, part_.first_column, part_.columns};
    }

    void open(const std::string &file, const RowRegion &rows) {
        const bool same_rows =
            rows.first == rows_.first && rows.count == rows_.count && rows.step == rows_.step;
        if (reader_ && file == file_ && (takes_rows() || same_rows))
            return;
        reader_.reset();
        file_ = file;
        rows_ = rows;
        ReadOptions options;
        options.type = type_;
        options.follow = follow_;
        if (!takes_rows())
            options.rows = rows;
        auto reader = open_reader(file, options);
        if (one_page_each_ && reader->has_page(1))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("'%s' has several pages and is one of many files; a scan is a few such files, or many "
                     "of one page",
                     file.c_str()));
        reader_ = std::move(reader);
    }

    const Part part_;
    const FileType type_;
    const bool one_page_each_, follow_;
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
    case GST_TOMO_FORMAT_FLOAT16:
        return add_samples<Half>;
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
    choose_images();
}

void ScanStream::choose_images() {
    const auto &scan = plan_->scan;
    images_ = kind_ == "projections" ? &scan.projections
              : kind_ == "darks"     ? &scan.darks
              : kind_ == "flats"     ? &scan.flats
                                     : &scan.flats_after;
}

void ScanStream::require_images() const {
    if (images_->empty() && !may_be_empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("%s holds no %s; name where they are by the property %s, or leave the output alone",
                         plan_->scan.name.c_str(), kind_.c_str(), kind_.c_str()));
}

void ScanStream::start() {
    complete_ = !follows();
    available_ = 0;
    announced_ = 0;
    problem_.reset();
    if (!complete_)
        return;
    require_images();
    if (!images_->empty())
        open();
}

void ScanStream::open() {
    const auto first_of = [&](const ScanImages &images, PartReader &reader) {
        const auto &image = images.images[0];
        return reader.info(images.files[image.file], image.page, plan_->part.rows);
    };
    PartReader reader(plan_->part, *images_, follows());
    image_ = first_of(*images_, reader);
    if (image_.depth != 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s: %s are %s; images of a scan have one plane", plan_->scan.name.c_str(),
                         kind_.c_str(), image_.describe().c_str()));
    if (is_sinograms()) {
        // Darks and flats are cut into the stacks of the projections.
        const auto &all = plan_->scan.projections;
        PartReader projections(plan_->part, all, false);
        const auto size = first_of(all, projections);
        if (size.height != image_.height || size.width != image_.width)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s: %s are %u x %u, but projections %u x %u", plan_->scan.name.c_str(),
                             kind_.c_str(), image_.width, image_.height, size.width, size.height));
        stack_ = choose_stack(projections.reader(), size);
    }
    ahead_ = std::make_unique<ReadAhead>(
        *this, [this](std::uint64_t n) { return locate(n); }, [this] { return make_reader(); });
}

void ScanStream::stop() {
    ahead_.reset();
    looker_.reset();
}

// Rows of the detector whose sinograms make one array.
unsigned ScanStream::choose_stack(const ImageReader &reader, const ArrayInfo &image) const {
    if (plan_->stack)
        return std::min(plan_->stack, image.height);
    constexpr std::uint64_t good = 64 << 20, most = 256 << 20;
    const auto sinogram =
        std::uint64_t{image.width} * plan_->scan.projections.images.size() * image.sample_size();
    const auto rows = [&](std::uint64_t bytes) { return std::max<std::uint64_t>(bytes / sinogram, 1); };
    // Whole chunks, or each is decompressed for several stacks.
    const std::uint64_t chunk = plan_->part.rows.step == 1 ? reader.rows_per_chunk() : 1;
    const auto wanted =
        chunk <= rows(most) ? std::max(rows(good) / chunk, std::uint64_t{1}) * chunk : rows(most);
    return static_cast<unsigned>(std::min<std::uint64_t>(wanted, image.height));
}

std::optional<ReadAhead::Frame> ScanStream::locate(std::uint64_t n) const {
    if (!is_sinograms()) {
        if (n >= (follows() ? available_ : images_->images.size()))
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

// What it needs is its own: the thread of the stream may look at the scan anew.
ReadAhead::Reader ScanStream::make_reader() const {
    const auto reader = std::make_shared<PartReader>(plan_->part, *images_, follows());
    const auto read = [reader, wanted = image_, kind = kind_](const std::string &file, std::size_t page,
                                                              const RowRegion &rows, unsigned height,
                                                              void *to, std::size_t stride) {
        const auto found = reader->info(file, page, rows);
        if (found != wanted.with_size(wanted.width, height))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s' holds an image of %s, but the first one of the %s is %s", file.c_str(),
                             found.describe().c_str(), kind.c_str(), wanted.describe().c_str()));
        reader->read(file, page, rows, to, stride);
    };
    const std::size_t row_bytes = image_.width * image_.sample_size();
    if (!is_sinograms())
        return [read, row_bytes, rows = plan_->part.rows](const ReadAhead::Frame &frame, void *to) {
            read(frame.file, frame.page, rows, frame.info.height, to, row_bytes);
        };

    const auto rows_of = [rows = plan_->part.rows](const ReadAhead::Frame &frame) {
        return RowRegion{static_cast<unsigned>(rows.first + frame.page * rows.step),
                         (frame.info.depth - 1) * rows.step + 1, rows.step};
    };
    const auto &images = *images_; // of the plan, which `plan` keeps
    if (is_projections())
        return [=, &images, plan = plan_](const ReadAhead::Frame &frame, void *to) {
            const auto count = images.images.size();
            for (std::size_t i = 0; i < count; i++)
                read(images.files[images.images[i].file], images.images[i].page, rows_of(frame),
                     frame.info.depth, static_cast<char *>(to) + i * row_bytes, count * row_bytes);
        };
    return [=, &images, plan = plan_, add = adder_of(image_)](const ReadAhead::Frame &frame, void *to) {
        std::vector<double> sums(frame.info.samples());
        std::vector<char> samples(frame.info.depth * row_bytes);
        for (const auto &image : images.images) {
            read(images.files[image.file], image.page, rows_of(frame), frame.info.depth, samples.data(),
                 row_bytes);
            add(samples.data(), sums);
        }
        std::transform(sums.begin(), sums.end(), static_cast<float *>(to),
                       [&](double sum) { return float(sum / double(images.images.size())); });
    };
}

std::optional<ArrayInfo> ScanStream::frame_info(std::uint64_t n) {
    if (!complete_)
        wait_for(n);
    const auto *frame = ahead_ ? ahead_->plan(n) : nullptr;
    return frame ? std::optional(frame->info) : std::nullopt;
}

// Following
// -------------------------------------------------------------------------------------------------------------

void ScanStream::wait_for(std::uint64_t n) {
    using Clock = std::chrono::steady_clock;
    constexpr auto pause = std::chrono::milliseconds(20);
    constexpr unsigned pauses = 10; // between two looks
    const auto end = Clock::now() + std::chrono::duration<double>(plan_->timeout);
    for (unsigned i = 0; !complete_ && n >= available_; i++) {
        if (is_cancelled())
            throw Flushing();
        if (i % pauses == 0)
            look_again();
        else if (Clock::now() > end)
            return time_out();
        else
            std::this_thread::sleep_for(pause);
    }
    if (complete_)
        require_images();
}

void ScanStream::look_again() {
    // Before looking, or it could be closed after the look and with more than was seen.
    const bool closed = !is_being_written().value_or(true);
    auto fresh = std::make_shared<ScanPlan>(*plan_);
    try {
        fresh->find();
    } catch (const NotYet &error) {
        problem_ = error;
        return;
    } catch (const Error &error) {
        if (!io::is_being_written(split_location(plan_->request.location).file).value_or(true))
            throw;
        problem_ = error;
        return;
    }
    const auto before = std::exchange(plan_, std::move(fresh));
    const auto &known = *images_;
    choose_images();
    const auto is_same = [&](const ScanImages::Image &a, const ScanImages::Image &b) {
        return a.page == b.page && known.files[a.file] == images_->files[b.file];
    };
    if (available_ > images_->images.size() ||
        !std::equal(known.images.begin(), known.images.begin() + available_, images_->images.begin(),
                    is_same))
        throw Error(
            GST_STREAM_ERROR_FAILED,
            text("%s: images stand before, or in place of, those that were read already; a scan that is "
                 "followed grows at its end",
                 plan_->scan.name.c_str()));

    const auto &scan = plan_->scan;
    available_ = number_stored();
    // Keys that were written beforehand tell the end; those that grow with the frames are ahead by a few.
    constexpr std::size_t few = 8;
    if (scan.announced != announced_)
        announced_ = scan.announced > scan.frames + few ? scan.announced : 0;
    const bool all_came = closed || scan.projections.images.size() >= plan_->number ||
                          (announced_ > 0 && scan.frames >= announced_);
    // With the first projection, what comes before the projections is there.
    const bool last_known = all_came || images_ == &scan.darks || images_ == &scan.flats;
    complete_ = last_known && available_ == images_->images.size();
    if (closed && !complete_) {
        warn(text("%s was closed with %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " %s", scan.name.c_str(),
                  available_, images_->images.size(), kind_.c_str()));
        complete_ = true;
    }
    if (available_ > 0 && !ahead_)
        open();
}

// How many images from the first on are there as a whole.
std::size_t ScanStream::number_stored() {
    const auto &images = images_->images;
    auto count = available_;
    for (; count < images.size(); count++) {
        const auto &file = images_->files[images[count].file];
        if (images_->type != FileType::Hdf5) {
            // The last file counts when it has not grown for a while.
            if (images[count].file + 1 < images_->files.size())
                continue;
            std::error_code ignored;
            const auto size = std::filesystem::file_size(file, ignored);
            const auto now = std::chrono::steady_clock::now();
            if (file != looked_at_ || size != size_)
                size_since_ = now;
            looked_at_ = file;
            size_ = size;
            if (size == 0 || now - size_since_ < std::chrono::milliseconds(200))
                break;
            continue;
        }
        if (!looker_ || file != looked_at_) {
            ReadOptions options;
            options.type = images_->type;
            options.follow = true;
            try {
                looker_ = open_reader(file, options);
            } catch (const NotYet &error) {
                problem_ = error;
                break;
            }
            looked_at_ = file;
        }
        if (!looker_->is_stored(images[count].page))
            break;
    }
    return count;
}

// The images may be in other files than the one that names them. What is not there yet counts.
std::optional<bool> ScanStream::is_being_written() const {
    const auto &projections = plan_->scan.projections;
    if (projections.files.empty())
        return {};
    const auto location = io::is_being_written(split_location(plan_->request.location).file);
    std::optional<bool> images;
    if (projections.type == FileType::Hdf5) {
        ReadOptions options;
        options.type = projections.type;
        options.follow = true;
        try {
            images = open_reader(projections.files[0], options)->is_being_written();
        } catch (const Error &) {
            return true;
        }
    }
    if (location && images)
        return *location || *images;
    return location ? location : images;
}

void ScanStream::time_out() {
    const auto &scan = plan_->scan;
    if (available_ == 0 && problem_)
        throw *problem_;
    const bool by_number = plan_->number != G_MAXUINT;
    if (is_projections() &&
        (by_number || scan.announced > scan.frames || available_ < images_->images.size()))
        throw Error(GST_RESOURCE_ERROR_READ,
                    text("%s: no other projection came within %g s (timeout), after %" G_GSIZE_FORMAT
                         " of them; more were expected by %s",
                         scan.name.c_str(), plan_->timeout, available_,
                         by_number ? "number" : "what the scan says"));
    if (is_projections() && is_being_written().value_or(false))
        throw Error(
            GST_RESOURCE_ERROR_READ,
            text("%s: no other projection came within %g s (timeout), after %" G_GSIZE_FORMAT
                 " of them, but the file is marked as being written: its writer waits, or was killed; "
                 "set number if these are all, or read what is there with follow=false",
                 scan.name.c_str(), plan_->timeout, available_));
    complete_ = true;
    require_images();
}

Array ScanStream::frame(std::uint64_t, const ArrayInfo &) {
    ahead_->set_upload(output_is_on_device());
    return ahead_->take();
}

std::optional<std::uint64_t> ScanStream::frame_count() {
    if (follows())
        return {};
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
    // Of a scan that is followed frames know their angles, and nobody all of them.
    if (is_projections() && !follows())
        event.angles = scan.angles;
    if (is_projections() && scan.has_order && !follows()) {
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
