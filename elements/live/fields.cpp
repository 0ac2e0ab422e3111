// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fields.hpp"

#include <gst/files/file-list.hpp>
#include <gst/files/scan/layout.hpp>
#include <gst/tomo/device/samples.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>

namespace tomo::live {

const char *name_of(FieldKind kind) { return kind == FieldKind::dark ? "darks" : "flats"; }

FieldSum::FieldSum(const ArrayInfo &image, unsigned frames)
    : image_(image), frames_(frames), sums_(image.plane_samples()) {}

bool FieldSum::add(const void *samples) {
    with_real_samples(image_.format, samples, [&](const auto *values) {
        for (std::size_t i = 0; i < sums_.size(); i++)
            sums_[i] += static_cast<double>(values[i]);
    });
    return ++count_ >= frames_;
}

std::shared_ptr<const Field> FieldSum::mean() const {
    auto field = std::make_shared<Field>();
    field->width = image_.width;
    field->height = image_.height;
    field->frames = count_;
    field->mean.reserve(sums_.size());
    for (const auto sum : sums_)
        field->mean.push_back(static_cast<float>(sum / count_));
    return field;
}

namespace {

struct PlaceOfImage {
    std::string file;
    std::optional<std::size_t> page; // all without
};

std::vector<PlaceOfImage> places(const std::string &path, FieldKind kind) {
    std::vector<PlaceOfImage> found;
    if (!io::names_scan_file(path)) {
        for (const auto &file : io::list_files(path))
            found.push_back({file, {}});
        return found;
    }
    io::ScanRequest request;
    request.location = path;
    const auto scan = io::find_scan(request);
    const auto &images = kind == FieldKind::dark ? scan.darks : scan.flats;
    for (const auto &image : images.images)
        found.push_back({images.files[image.file], image.page});
    if (found.empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("%s has no %s: name a scan that has some, or a file, folder or pattern of images",
                         scan.name.c_str(), name_of(kind)));
    return found;
}

} // namespace

std::shared_ptr<const Field> read_field(const std::string &path, FieldKind kind) {
    std::optional<FieldSum> sum;
    ArrayInfo image;
    std::string open;
    std::unique_ptr<io::ImageReader> reader;
    std::vector<unsigned char> samples;
    const auto add = [&](const PlaceOfImage &place, std::size_t page) {
        const auto info = reader->info(page);
        if (sum && (info.width != image.width || info.height != image.height || info.format != image.format))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s' has images of %s among %s of %s: wanted one size and format",
                             place.file.c_str(), info.describe().c_str(), name_of(kind),
                             image.describe().c_str()));
        if (info.depth != 1 || info.format == GST_TOMO_FORMAT_COMPLEX64)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("'%s' has images of %s: %s are grey", place.file.c_str(),
                             info.describe().c_str(), name_of(kind)));
        if (!sum)
            sum.emplace(image = info, G_MAXUINT);
        samples.resize(info.size());
        reader->read(page, samples.data(), samples.size());
        sum->add(samples.data());
    };
    for (const auto &place : places(path, kind)) {
        if (!reader || open != place.file) {
            reader = io::open_scan_reader(place.file);
            open = place.file;
        }
        if (place.page)
            add(place, *place.page);
        else
            for (std::size_t page = 0; reader->has_page(page); page++)
                add(place, page);
    }
    if (!sum)
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("'%s' has no images that could be %s", path.c_str(), name_of(kind)));
    return sum->mean();
}

} // namespace tomo::live
