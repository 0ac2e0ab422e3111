// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frames.hpp"
#include <gst/files/memory/images.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <cstring>

namespace tomo::io {

void ScanPlan::find() {
    scan = find_scan(request);
    std::vector<std::string> files;
    for (const auto *kind : {&scan.projections, &scan.darks, &scan.flats, &scan.flats_after})
        files.insert(files.end(), kind->files.begin(), kind->files.end());
    claim = InputClaim(std::move(files));
    auto &images = scan.projections.images;
    if (!images.empty() && start >= images.size())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("start is %u, but %s has %" G_GSIZE_FORMAT " projections, counted from 0", start,
                         scan.name.c_str(), images.size()));
    total = images.size();
    numbers_in_it.clear();
    std::vector<ScanImages::Image> chosen;
    std::vector<double> angles;
    ViewShifts shifts;
    for (std::size_t i = start; i < images.size() && chosen.size() < number; i += step) {
        chosen.push_back(images[i]);
        numbers_in_it.push_back(i);
        if (!scan.angles.empty())
            angles.push_back(scan.angles[i]);
        if (!scan.shifts.empty()) {
            shifts.x.push_back(scan.shifts.x[i]);
            shifts.y.push_back(scan.shifts.y[i]);
        }
    }
    images = std::move(chosen);
    scan.angles = std::move(angles);
    scan.shifts = std::move(shifts);
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

    ImageReader &reader() { return *reader_; }

    // Datasets, memory and files of many streams take rows with each read; other files are opened for them.
    bool takes_rows() const {
        const auto by_suffix = type_of_suffix(split_location(file_).file);
        return type_ == FileType::Hdf5 || names_memory(file_) || by_suffix == FileType::Hdf5 ||
               by_suffix == FileType::Xradia;
    }

  private:
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
        auto reader = open_scan_reader(file, options);
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

void add_samples(const ArrayInfo &info, const void *from, std::vector<double> &sums) {
    const bool are_real = with_real_samples(info.format, from, [&](const auto *samples) {
        for (std::size_t i = 0; i < sums.size(); i++)
            sums[i] += samples[i];
    });
    if (!are_real)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("darks and flats of %s can't be averaged", info.describe().c_str()));
}

// The means of `count` samples of the images of each set, as read(image, samples) gives them, to
// put(set, i, mean).
template <class Read, class Put>
void means_of_sets(const ScanImages &images, unsigned sets, const ArrayInfo &info, std::size_t count,
                   const IsCancelled &is_cancelled, const Read &read, const Put &put) {
    std::vector<char> samples(count * info.sample_size());
    std::size_t image = 0;
    for (unsigned set = 0; set < sets; set++) {
        std::vector<double> sums(count);
        double number = 0.0;
        for (; image < images.images.size() && (sets == 1 || images.images[image].set == set);
             image++, number++) {
            if (is_cancelled())
                throw Flushing();
            read(image, samples.data());
            add_samples(info, samples.data(), sums);
        }
        for (std::size_t i = 0; i < count; i++)
            put(set, i, static_cast<float>(sums[i] / number));
    }
}

} // namespace

ScanFrames::ScanFrames(std::shared_ptr<const ScanPlan> plan, const std::string &kind) : kind_(kind) {
    grow(std::move(plan));
}

void ScanFrames::grow(std::shared_ptr<const ScanPlan> plan) {
    plan_ = std::move(plan);
    const auto &scan = plan_->scan;
    images_ = kind_ == "projections" ? &scan.projections
              : kind_ == "darks"     ? &scan.darks
              : kind_ == "flats"     ? &scan.flats
                                     : &scan.flats_after;
}

void ScanFrames::measure() {
    const auto first_of = [&](const ScanImages &images, PartReader &reader) {
        const auto &image = images.images[0];
        return reader.info(images.files[image.file], image.page, plan_->part.rows);
    };
    PartReader reader(plan_->part, *images_, plan_->request.follow);
    image_ = first_of(*images_, reader);
    if (image_.depth != 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s: %s are %s: pictures in colour; images of a scan are grey, with one sample per "
                         "pixel",
                         plan_->scan.name.c_str(), kind_.c_str(), image_.describe().c_str()));
    if (is_sinograms()) {
        // Darks and flats are cut into the stacks of the projections.
        const auto &all = plan_->scan.projections.empty() ? *images_ : plan_->scan.projections;
        PartReader projections(plan_->part, all, false);
        const auto size = first_of(all, projections);
        if (size.height != image_.height || size.width != image_.width)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("%s: %s are %u x %u, but projections %u x %u", plan_->scan.name.c_str(),
                             kind_.c_str(), image_.width, image_.height, size.width, size.height));
        stack_ = choose_stack(projections.reader(), size);
        if (!is_projections())
            return;
        auto &reader_of_rows = projections.reader();
        find_groups(reader_of_rows);
        if (!projections.takes_rows() || reader_of_rows.rows_per_chunk() > stack_ ||
            reader_of_rows.opens_many_files())
            store_ = RowStore::make(
                {images_->images.size(), image_.width * image_.sample_size(), image_.height, groups_}, stack_,
                plan_->store_bytes);
    }
}

void ScanFrames::find_groups(ImageReader &reader) {
    const auto together = reader.pages_per_chunk();
    const auto &images = images_->images;
    chunk_rows_ = together > 1 ? reader.rows_per_chunk() : 0;
    groups_.clear();
    for (std::size_t i = 0; i < images.size(); i++)
        if (i == 0 || images[i].file != images[i - 1].file ||
            images[i].page / together != images[i - 1].page / together)
            groups_.push_back(i);
    groups_.push_back(images.size());
}

std::uint64_t ScanFrames::count() const {
    if (images_->empty())
        return 0;
    if (!is_sinograms())
        return are_means_of_sets() ? 1 : images_->images.size();
    return (image_.height - 1) / stack_ + 1;
}

// Rows of the detector whose sinograms make one array.
unsigned ScanFrames::choose_stack(ImageReader &reader, const ArrayInfo &image) const {
    if (plan_->stack)
        return std::min(plan_->stack, image.height);
    constexpr std::uint64_t good = 64 << 20, most = 256 << 20;
    const auto sinogram = std::uint64_t{image.width} *
                          std::max<std::size_t>(plan_->scan.projections.images.size(), 1) *
                          image.sample_size();
    const auto rows = [&](std::uint64_t bytes) { return std::max<std::uint64_t>(bytes / sinogram, 1); };
    // Whole chunks, or each is decompressed for several stacks. And of what backprojection takes at a time.
    constexpr std::uint64_t together = 8;
    const std::uint64_t chunk =
        plan_->part.rows.step == 1 && reader.rows_per_chunk() > 1 ? reader.rows_per_chunk() : together;
    const auto wanted =
        chunk <= rows(most) ? std::max(rows(good) / chunk, std::uint64_t{1}) * chunk : rows(most);
    return static_cast<unsigned>(std::min<std::uint64_t>(wanted, image.height));
}

std::optional<StoredFrame> ScanFrames::locate(std::uint64_t n) const {
    if (!is_sinograms()) {
        if (n >= count())
            return {};
        const auto &image = images_->images[n];
        if (are_means_of_sets())
            return StoredFrame{n,
                               image_.with_size(image_.width, image_.height, sets())
                                   .with_format(GST_TOMO_FORMAT_FLOAT32)
                                   .with_domain(GST_TOMO_DOMAIN_PROJECTION),
                               images_->files[image.file], image.page};
        return StoredFrame{n, image_.with_domain(GST_TOMO_DOMAIN_PROJECTION), images_->files[image.file],
                           image.page};
    }
    const std::uint64_t row = n * stack_;
    if (images_->empty() || row >= image_.height)
        return {};
    const auto rows = static_cast<unsigned>(std::min<std::uint64_t>(stack_, image_.height - row));
    auto info = image_.with_domain(GST_TOMO_DOMAIN_SINOGRAM);
    info = is_projections() ? info.with_size(image_.width, images_->images.size(), rows)
                            : info.with_size(image_.width, sets(), rows).with_format(GST_TOMO_FORMAT_FLOAT32);
    constexpr std::size_t part = 4 << 20;
    const auto parts = is_projections() ? std::clamp<std::size_t>(info.size() / part, 1, groups_.size() - 1)
                                        : std::size_t{1};
    return StoredFrame{n, info, images_->files[images_->images[0].file], row, static_cast<unsigned>(parts)};
}

FrameReader ScanFrames::make_reader() const {
    const auto reader = std::make_shared<PartReader>(plan_->part, *images_, plan_->request.follow);
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
    if (!is_sinograms() && are_means_of_sets())
        return [=, &images = *images_, plan = plan_, info = image_,
                sets = sets()](const StoredFrame &, unsigned, void *to, const IsCancelled &is_cancelled) {
            means_of_sets(
                images, sets, info, info.plane_samples(), is_cancelled,
                [&](std::size_t i, void *samples) {
                    const auto &image = images.images[i];
                    read(images.files[image.file], image.page, plan->part.rows, info.height, samples,
                         row_bytes);
                },
                [&, at = static_cast<float *>(to)](unsigned set, std::size_t i, float mean) {
                    at[set * info.plane_samples() + i] = mean;
                });
        };
    if (!is_sinograms())
        return [read, row_bytes, rows = plan_->part.rows](const StoredFrame &frame, unsigned, void *to,
                                                          const IsCancelled &) {
            read(frame.file, frame.page, rows, frame.info.height, to, row_bytes);
        };

    const auto &images = *images_; // of the plan, which `plan` keeps
    // Rows of image `i` from `first` on, both counted among those that are read.
    const auto read_rows = [=, &images, plan = plan_,
                            rows = plan_->part.rows](std::size_t i, std::size_t first, unsigned count,
                                                     void *to, std::size_t stride) {
        const auto &image = images.images[i];
        const RowRegion region{static_cast<unsigned>(rows.first + first * rows.step),
                               (count - 1) * rows.step + 1, rows.step};
        read(images.files[image.file], image.page, region, count, to, stride);
    };
    if (is_projections())
        return [=, images = images.images.size(), groups = groups_, chunk_rows = chunk_rows_,
                rows_read = plan_->part.rows,
                store = store_](const StoredFrame &frame, unsigned part, void *destination,
                                const IsCancelled &is_cancelled) {
            // One chunk after the other, where one has parts of several images.
            const auto read_group = [&](std::size_t begin, std::size_t end, unsigned first, unsigned count,
                                        const auto &place, std::size_t stride) {
                for (unsigned row = first, last; row < first + count; row = last) {
                    last = first + count;
                    if (chunk_rows) {
                        const auto below =
                            ((rows_read.first + row * rows_read.step) / chunk_rows + 1) * chunk_rows;
                        last = static_cast<unsigned>(std::min<std::uint64_t>(
                            last, (below - rows_read.first - 1) / rows_read.step + 1));
                    }
                    for (auto i = begin; i < end; i++) {
                        if (is_cancelled())
                            throw Flushing();
                        read_rows(i, row, last - row, place(i) + (row - first) * stride, stride);
                    }
                }
            };
            const unsigned depth = frame.info.depth, first = static_cast<unsigned>(frame.page);
            const auto group = [&](unsigned n) { return (groups.size() - 1) * n / frame.parts; };
            const auto place = [&](std::size_t i) {
                return static_cast<char *>(destination) + i * row_bytes;
            };
            if (!store) {
                for (auto g = group(part); g < group(part + 1); g++)
                    read_group(groups[g], groups[g + 1], first, depth, place, images * row_bytes);
                return;
            }
            const auto block = store->get(
                first, part, frame.parts,
                [&](std::size_t begin, std::size_t end, unsigned row, unsigned rows, const auto &to) {
                    read_group(begin, end, row, rows, to, row_bytes);
                },
                is_cancelled);
            for (auto i = groups[group(part)]; i < groups[group(part + 1)]; i++)
                for (unsigned row = 0; row < depth; row++)
                    std::memcpy(place(i) + row * images * row_bytes, block->row(i, first + row), row_bytes);
        };
    // Row r of the mean of set k stands at (r, k).
    return [=, &images, plan = plan_, info = image_,
            sets = sets()](const StoredFrame &frame, unsigned, void *to, const IsCancelled &is_cancelled) {
        const auto rows = frame.info.depth;
        means_of_sets(
            images, sets, info, info.width * rows, is_cancelled,
            [&](std::size_t i, void *samples) { read_rows(i, frame.page, rows, samples, row_bytes); },
            [&, at = static_cast<float *>(to)](unsigned set, std::size_t i, float mean) {
                at[(i / info.width * sets + set) * info.width + i % info.width] = mean;
            });
    };
}

} // namespace tomo::io
