// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ring-list.hpp"

#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

using namespace tomo;

namespace {

class FilterParticle final : public Transform {
  public:
    static constexpr Info info{
        .task = "filter-particle",
        .klass = "Filter/Analyzer",
        .blurb = "Finds bright regions of an image, as a list of their places",
        .details =
            "A region is of pixels above `threshold` times the image's largest value that touch each other at sides or "
            "corners. Pixels that no such pixel touches at a side do not count. An image whose largest value is below `min` "
            "has no regions. The output is one list for each image: the number of regions, then of each x, y, radius, "
            "contrast and intensity, from the top down. x and y are the mean of the pixels' places, weighted by their "
            "values, in pixels from the centre of the first one. Contrast is the largest value of the region over that of "
            "the image, intensity the value of the pixel at x, y. NaN does not count.\n"
            "\n"
            "Of images that were correlated with the rings of `tomoringpattern`, regions are the centres of rings of that "
            "radius, which the frame's source tells (`radius=5`) where the rings are the first input of `tomofftmult`.",
        .example =
            "tomoread path=slice.tif ! tomofilterparticle min=0 threshold=0.5 ! tomoringwriter filename=particles.txt",
    };

    Property<float> min{this, "min", 0.125f, {0.0f, 1.0f}, "Least value of the brightest pixel"};
    Property<float> threshold{
        this, "threshold", 0.8f, {0.0f, 1.0f}, "Least value of a pixel, as a share of the brightest one"};
    Property<float> radius{
        this,
        "radius",
        Automatic{0},
        {0.0f, FLT_MAX},
        "Radius in the list; 0: that of the frame's source, else of a circle with the region's area"};

    bool needs_device() const override { return false; }

  protected:
    void begin(const ArrayInfo &in) override {
        if (in.depth != 1)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("got %s; wanted single images: put tomoslice before", in.describe().c_str()));
    }

    GstFlowReturn take(GstBuffer *buffer) override {
        const auto &in = input_info();
        std::vector<char> packed(in.size());
        copy_packed(buffer, in, packed.data());
        values_.resize(in.samples());
        with_real_samples(in.format, packed.data(), [&](const auto *samples) {
            for (std::size_t i = 0; i < values_.size(); i++)
                values_[i] = static_cast<float>(samples[i]);
        });
        const auto regions = find(radius.chosen() ? std::optional<double>(radius) : radius_of_source(buffer));
        auto list = list_of(regions);
        copy_frame_metadata(buffer, list.get());
        return push_submitted(list_info(regions, in), std::move(list));
    }

    // Lists are no images of the scan.
    EventRef scan_event(EventRef) override { return {}; }

  private:
    static std::optional<double> radius_of_source(GstBuffer *buffer) {
        const auto *meta = gst_buffer_get_tomo_frame_meta(buffer);
        const std::string prefix = "radius=";
        if (!meta || !meta->source || !g_str_has_prefix(meta->source, prefix.c_str()))
            return {};
        return g_ascii_strtod(meta->source + prefix.size(), nullptr);
    }

    struct Region {
        double weight = 0.0, x = 0.0, y = 0.0;
        float largest = 0.0f;
        std::uint64_t pixels = 0;
    };

    std::vector<Ring> find(std::optional<double> given) {
        float most = -INFINITY;
        for (const float value : values_)
            most = value > most ? value : most;
        if (!(most >= min))
            return {};
        limit_ = double{threshold} * most;
        mark();
        std::vector<Region> regions;
        std::vector<std::size_t> pixels;
        for (std::size_t i = 0; i < marks_.size(); i++)
            if (marks_[i]) {
                pixels.assign(1, i);
                regions.push_back(walk(pixels));
            }
        std::vector<Ring> rings;
        for (const auto &region : regions) {
            const double x = region.x / region.weight, y = region.y / region.weight;
            const auto at =
                static_cast<std::size_t>(std::lround(y)) * width() + static_cast<std::size_t>(std::lround(x));
            rings.push_back({static_cast<float>(x), static_cast<float>(y),
                             static_cast<float>(given.value_or(std::sqrt(region.pixels / std::numbers::pi))),
                             region.largest / most, values_[at]});
        }
        return rings;
    }

    std::size_t width() const { return input_info().width; }
    bool is_bright(std::size_t i) const { return values_[i] > limit_; }

    void mark() {
        const std::size_t columns = width(), rows = input_info().height;
        marks_.assign(values_.size(), false);
        for (std::size_t y = 0; y < rows; y++)
            for (std::size_t x = 0; x < columns; x++) {
                const auto i = y * columns + x;
                marks_[i] = is_bright(i) &&
                            ((x > 0 && is_bright(i - 1)) || (x + 1 < columns && is_bright(i + 1)) ||
                             (y > 0 && is_bright(i - columns)) || (y + 1 < rows && is_bright(i + columns)));
            }
    }

    // The region of the pixel in `pixels`, whose marks it takes away.
    Region walk(std::vector<std::size_t> &pixels) {
        const std::size_t columns = width(), rows = input_info().height;
        Region region;
        marks_[pixels[0]] = false;
        while (!pixels.empty()) {
            const auto i = pixels.back();
            pixels.pop_back();
            const std::size_t x = i % columns, y = i / columns;
            const double value = values_[i];
            region.weight += value;
            region.x += value * static_cast<double>(x);
            region.y += value * static_cast<double>(y);
            region.largest = std::max(region.largest, values_[i]);
            region.pixels++;
            for (std::size_t v = y ? y - 1 : 0; v <= std::min(y + 1, rows - 1); v++)
                for (std::size_t u = x ? x - 1 : 0; u <= std::min(x + 1, columns - 1); u++)
                    if (marks_[v * columns + u]) {
                        marks_[v * columns + u] = false;
                        pixels.push_back(v * columns + u);
                    }
        }
        return region;
    }

    std::vector<float> values_; // of the image
    std::vector<bool> marks_;   // pixels of regions that are still to be found
    double limit_ = 0.0;
};

} // namespace

TOMO_ELEMENT(FilterParticle)
