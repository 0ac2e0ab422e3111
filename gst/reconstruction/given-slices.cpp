// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-list.hpp>
#include <gst/reconstruction/given-slices.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/source-line.hpp>

namespace tomo::reconstruction {

namespace {

// Of which a file or several files have images.
struct GivenSlices {
    const Parameter<std::string> &parameter;
    std::size_t images = 0;
    ArrayInfo image; // the first one

    explicit GivenSlices(const Parameter<std::string> &of) : parameter(of) {
        for (const auto &file : io::list_files(of.value())) {
            const auto reader = io::open_reader(file);
            if (images == 0)
                image = reader->info(0);
            images += reader->pages();
        }
    }

    bool is_one() const { return images == 1; }
    bool has_size(unsigned width, unsigned height) const {
        return image.width == width && image.height == height;
    }

    void check(const MadeSlices &made) const {
        const bool is_as_result = has_size(made.width, made.height),
                   fits = (is_as_result || has_size(made.columns, made.rows)) && image.depth == 1 &&
                          !image.is_complex();
        if (fits && (is_one() || images == made.images || images == made.of_scan))
            return;
        std::string number = text("%u", made.images), size = text("%u x %u", made.width, made.height);
        if (made.of_scan && made.of_scan != made.images)
            number += text(" (or %u, for all rows of the scan)", made.of_scan);
        if (made.columns != made.width || made.rows != made.height)
            size += text(" (or %u x %u, for slices that are not cut)", made.columns, made.rows);
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s='%s' has %zu %s of %s; wanted %s%s, of %s real numbers, as the slices are",
                         parameter.name(), parameter.value().c_str(), images, is_one() ? "image" : "images",
                         image.describe().c_str(), made.images > 1 ? "one image for all slices, or " : "",
                         number.c_str(), size.c_str()));
    }

    // `beside` is the value of what a smaller region leaves open.
    std::string line(const MadeSlices &made, unsigned first, unsigned count, double beside) const {
        const bool is_of_scan = images != made.images && images == made.of_scan;
        const unsigned step = is_of_scan ? made.step : 1;
        std::string line =
            text("tomoread name=%s", parameter.name()) + launch_property("path", parameter.value());
        if (!is_one())
            line += property("image-start", is_of_scan ? made.first + first * step : first) +
                    property("number", count) + (step > 1 ? property("image-step", step) : "");
        const auto name = [&](const char *what) { return std::string(parameter.name()) + "-" + what; };
        if (has_size(made.width, made.height) && !has_size(made.columns, made.rows)) {
            line += text(" ! tomopad name=%s addressing-mode=clamp", name("region").c_str()) +
                    property("width", made.columns) + property("height", made.rows) + property("x", made.x) +
                    property("y", made.y);
            if (beside != 0.0)
                line += calculation(name("beside").c_str(),
                                    text("x >= %u && x < %u && y >= %u && y < %u ? v : ", made.x,
                                         made.x + made.width, made.y, made.y + made.height) +
                                        literal(beside),
                                    2);
        }
        return line + text(" ! %s.%s ", made.element.c_str(), parameter.name());
    }
};

} // namespace

bool takes_given_slices(const Settings &settings) {
    return !settings.initial.empty() || !settings.mask.empty();
}

void check_given_slices(const Settings &settings, const MadeSlices &made) {
    for (const auto *parameter : {&settings.initial, &settings.mask})
        if (!parameter->empty())
            GivenSlices(*parameter).check(made);
}

std::string given_slices_lines(const Settings &settings, const MadeSlices &made, unsigned first,
                               unsigned count) {
    std::string lines;
    // What iterations begin with by themselves.
    if (!settings.initial.empty())
        lines +=
            GivenSlices(settings.initial).line(made, first, count, settings.method.is("mlem") ? 1.0 : 0.0);
    if (!settings.mask.empty()) // beside it all may change
        lines += GivenSlices(settings.mask).line(made, first, count, 1.0);
    return lines;
}

} // namespace tomo::reconstruction
