// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-grid.hpp>
#include <gst/operators/slice-pairs.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo {

using fourier::complex_samples;

namespace {

constexpr unsigned tile = 16, cells_of_tile = tile * tile / 4; // as in the kernels
constexpr unsigned longest_list = 512;                         // that a part of a work-group walks alone

// Direction of the kernels.
struct FourierDirection {
    std::int64_t step_u, step_v;
    float angle, cosine, sine;
    std::uint32_t view;
};
static_assert(sizeof(FourierDirection) == 32, "the device reads this layout");

// Points around the grid on each side where samples are gathered.
unsigned margin_of(const Spreading &spreading) { return spreading.width / 2 + 1; }

} // namespace

FourierGrid::Size FourierGrid::size_of(const Spreading &spreading, unsigned width, unsigned height) {
    // A sample reaches a point once, not also around the grid.
    const auto points = [&](unsigned pixels) {
        return fourier::good_length(std::max(spreading.oversampling * pixels, 2.0 * spreading.width + 2.0));
    };
    return {points(width), points(height)};
}

FourierGrid::Bytes FourierGrid::bytes_of(const Spreading &spreading, unsigned views, unsigned width,
                                         unsigned height, unsigned length, unsigned pairs) {
    const auto size = size_of(spreading, width, height);
    const std::uint64_t samples = std::uint64_t{views} * (length + 2), margins = 2 * margin_of(spreading);
    // Lists of both halves of the plane's samples, of cells of 2 x 2 points: (width + 1)^2 / 8 entries for
    // each. Places are those of one half.
    const std::uint64_t reached = (spreading.width + 1) * (spreading.width + 1);
    return {samples * reached / 8 * (sizeof(cl_uint) + sizeof(cl_float4)),
            samples / 2 * (sizeof(cl_int2) + 2 * spreading.width * sizeof(cl_float)),
            (samples + size.points() + (size.columns + margins) * (size.rows + margins)) * pairs *
                sizeof(cl_float2)};
}

unsigned FourierGrid::pairs_of(const Device &device, const Spreading &spreading, unsigned views,
                               unsigned width, unsigned height, unsigned length, std::uint64_t slices) {
    const std::uint64_t samples = std::uint64_t{views} * (length + 2), wanted = (slices + 1) / 2,
                        points = size_of(spreading, width, height).points();
    const auto lists = bytes_of(spreading, views, width, height, length, 1).to_slices;
    const auto most = device.memory_limit() / 2, left = most > lists ? most - lists : 0;
    unsigned pairs = fourier::pairs_that_pay(device);
    while (pairs > 1 && (pairs / 2 >= wanted ||
                         std::max(samples, points) * pairs * sizeof(cl_float2) > device.max_allocation() ||
                         (samples + points) * pairs * sizeof(cl_float2) > left))
        pairs /= 2;
    return pairs;
}

Kernel FourierGrid::backward(const char *function, unsigned pairs) const {
    return fourier::kernel_of_pairs(compute_, function, pairs, "fourier-backproject.cl");
}

Kernel FourierGrid::forward(const char *function, unsigned pairs) const {
    return fourier::kernel_of_pairs(compute_, function, pairs, "fourier-project.cl",
                                    text(" -D WIDTH=%u", spreading_.width));
}

void FourierGrid::plan(unsigned width, unsigned height, unsigned length, unsigned pairs) {
    width_ = width;
    height_ = height;
    length_ = length;
    grid_ = size_of(spreading_, width, height);
    transforms_ = {compute_, complex_samples(grid_.columns, grid_.rows), 2, pairs};
    const auto table = [&](unsigned pixels, unsigned points) {
        std::vector<float> factors(pixels);
        for (unsigned i = 0; i < pixels; i++)
            factors[i] = static_cast<float>(points / spreading_.transform((double(i) - pixels / 2) / points));
        return compute_.upload(factors);
    };
    across_ = table(width, grid_.columns);
    down_ = table(height, grid_.rows);
    angles_.clear();
}

void FourierGrid::set_angles(const std::vector<double> &angles) {
    if (angles == angles_)
        return;
    angles_ = angles;
    begins_ = lists_ = list_weights_ = long_lists_ = places_ = place_weights_ = {};
}

unsigned FourierGrid::tiles_across() const { return (grid_.columns + tile - 1) / tile; }

unsigned FourierGrid::tiles() const { return tiles_across() * (grid_.rows / 2 / tile + 1); }

Array FourierGrid::grids(unsigned pairs) const {
    return compute_.allocate(complex_samples(grid_.columns, grid_.rows, pairs));
}

Array FourierGrid::directions() const {
    std::vector<FourierDirection> directions(angles_.size());
    for (std::size_t p = 0; p < angles_.size(); p++) {
        const double cosine = std::cos(angles_[p]), sine = std::sin(angles_[p]);
        double folded = std::fmod(angles_[p], std::numbers::pi);
        if (folded < 0.0)
            folded += std::numbers::pi;
        directions[p] = {std::llround(std::ldexp(cosine * grid_.columns / length_, 40)),
                         std::llround(std::ldexp(sine * grid_.rows / length_, 40)),
                         static_cast<float>(folded),
                         static_cast<float>(cosine),
                         static_cast<float>(sine),
                         static_cast<std::uint32_t>(p)};
    }
    std::stable_sort(directions.begin(), directions.end(),
                     [](const auto &a, const auto &b) { return a.angle < b.angle; });
    return compute_.upload(directions.data(), directions.size() * sizeof directions[0]);
}

void FourierGrid::make_lists() {
    const Array directions = this->directions();
    const unsigned cells = tiles() * cells_of_tile;
    begins_ = compute_.allocate({GST_TOMO_FORMAT_UINT32, std::uint64_t{cells} + 1, 1});
    // Places of at least one entry, also where there is none.
    lists_ = compute_.allocate({GST_TOMO_FORMAT_UINT32, 1, 1});
    list_weights_ = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, 4, 1});
    const auto walk = [&](bool is_filling) {
        compute_.launch(backward("fourier_lists", 1), WorkSize(cells), BareBuffer{directions},
                        cl_uint{views()}, cl_uint{grid_.columns}, cl_uint{grid_.rows},
                        cl_uint{tiles_across()}, ReadWriteBareBuffer{begins_}, ReadWriteBareBuffer{lists_},
                        ReadWriteBareBuffer{list_weights_}, cl_uint{is_filling}, cl_uint{length_},
                        cl_uint{spreading_.width}, cl_float(spreading_.beta), cl_float(spreading_.factor()));
    };
    walk(false);
    const bool in_groups = fourier::works_in_groups(*compute_.device());
    std::vector<cl_uint> long_lists;
    std::uint64_t entries = 0;
    {
        const Host<cl_uint> counts(begins_);
        for (unsigned cell = 0; cell <= cells; cell++) {
            const cl_uint count = cell < cells ? counts[cell] : 0;
            if (in_groups && count > longest_list)
                long_lists.push_back(cell);
            counts[cell] = static_cast<cl_uint>(entries);
            entries += count;
            if (entries > G_MAXUINT32)
                throw Error(
                    GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("%u views with %u samples are too many for a Fourier reconstruction: bin them, or "
                         "backproject",
                         views(), length_));
        }
    }
    if (entries > 0) {
        lists_ = compute_.allocate({GST_TOMO_FORMAT_UINT32, entries, 1});
        list_weights_ = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, 4, entries});
    }
    walk(true);
    long_list_count_ = static_cast<unsigned>(long_lists.size());
    if (long_list_count_ > 0)
        long_lists_ = compute_.upload(long_lists.data(), long_lists.size() * sizeof long_lists[0]);
}

void FourierGrid::make_places() {
    const unsigned columns = length_ / 2 + 1;
    // A place is two numbers of 32 bits.
    places_ = compute_.allocate({GST_TOMO_FORMAT_INT32, 2 * std::uint64_t{columns}, views()});
    place_weights_ =
        compute_.allocate({GST_TOMO_FORMAT_FLOAT32, std::uint64_t{columns} * 2 * spreading_.width, views()});
    const Array directions = this->directions();
    compute_.launch(forward("fourier_places", 1), WorkSize(columns, views()), BareBuffer{directions},
                    ReadWriteBareBuffer{places_}, ReadWriteBareBuffer{place_weights_}, cl_uint{length_},
                    cl_float(spreading_.beta), cl_float(spreading_.factor()));
}

void FourierGrid::to_slices(const Array &samples, Array &slices, const Array &is_bad, unsigned pairs) {
    if (!begins_)
        make_lists();
    Array grid = grids(pairs);
    const auto fill = backward("fourier_grid", pairs);
    if (fourier::works_in_groups(*compute_.device())) {
        const unsigned items = cells_of_tile * 2 * pairs / std::min(2 * pairs, 8u);
        compute_.launch(fill, WorkSize(std::size_t{tiles()} * items).groups(items), BareBuffer{samples},
                        BareBuffer{begins_}, BareBuffer{lists_}, BareBuffer{list_weights_},
                        ReadWriteBareBuffer{grid}, cl_uint{grid_.columns}, cl_uint{grid_.rows},
                        cl_uint{tiles_across()}, cl_uint{longest_list});
        if (long_list_count_ > 0)
            compute_.launch(backward("fourier_long_lists", pairs),
                            WorkSize(std::size_t{long_list_count_} * items).groups(items),
                            BareBuffer{samples}, BareBuffer{begins_}, BareBuffer{lists_},
                            BareBuffer{list_weights_}, ReadWriteBareBuffer{grid}, cl_uint{grid_.columns},
                            cl_uint{grid_.rows}, cl_uint{tiles_across()}, BareBuffer{long_lists_});
    } else {
        compute_.launch(fill, WorkSize(std::size_t{tiles()} * tile / 2).groups(1), BareBuffer{samples},
                        BareBuffer{begins_}, BareBuffer{lists_}, BareBuffer{list_weights_},
                        ReadWriteBareBuffer{grid}, cl_uint{grid_.columns}, cl_uint{grid_.rows},
                        cl_uint{tiles_across()});
    }
    transforms_.run(compute_, FftDirection::Inverse, grid, grid);
    compute_.launch(backward("fourier_crop", pairs), WorkSize(width_, height_, pairs), BareBuffer{grid},
                    ReadWrite{slices}, BareBuffer{is_bad}, BareBuffer{across_}, BareBuffer{down_},
                    cl_uint{grid_.columns}, cl_uint{grid_.rows}, cl_uint{slices.depth()});
}

void FourierGrid::from_slices(const Array &slices, Array &samples, Array &is_bad, unsigned pairs) {
    if (!places_)
        make_places();
    const bool in_groups = fourier::works_in_groups(*compute_.device());
    const unsigned margins = 2 * margin_of(spreading_);
    Array turned = compute_.allocate(
        complex_samples(std::uint64_t{grid_.columns + margins} * pairs, grid_.rows + margins));
    {
        Array grid = grids(pairs);
        compute_.launch(forward("fourier_pad", pairs), WorkSize(grid.info()), slices,
                        ReadWriteBareBuffer{grid}, ReadWriteBareBuffer{is_bad}, BareBuffer{across_},
                        BareBuffer{down_}, cl_uint{width_}, cl_uint{height_}, cl_uint{slices.depth()},
                        cl_float(1.0 / static_cast<double>(grid_.points())));
        transforms_.run(compute_, FftDirection::Forward, grid, grid);
        compute_.launch(
            forward("fourier_turn_grid", pairs),
            in_groups ? WorkSize(grid_.columns + margins, pairs, grid_.rows + margins).groups(16, pairs)
                      : WorkSize(grid_.rows + margins),
            BareBuffer{grid}, ReadWriteBareBuffer{turned}, cl_uint{grid_.columns}, cl_uint{grid_.rows});
    }
    const unsigned parts = in_groups ? (2 * pairs + 7) / 8 : 1;
    compute_.launch(forward("fourier_gather", pairs), WorkSize(std::size_t{length_ / 2 + 1} * parts, views()),
                    BareBuffer{turned}, BareBuffer{places_}, BareBuffer{place_weights_},
                    ReadWriteBareBuffer{samples}, cl_uint{grid_.columns}, cl_uint{grid_.rows},
                    cl_uint{views()}, cl_uint{length_});
}

} // namespace tomo
