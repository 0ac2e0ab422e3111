// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-backprojector.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

namespace tomo {

namespace {

constexpr unsigned tile = 16, cells_of_tile = tile * tile / 4; // as in the kernels
constexpr unsigned longest_list = 512;                         // that a part of a work-group walks alone

// View and Direction of the kernels.
struct FourierView {
    std::int64_t axis;
    float weight;
    std::uint32_t unused;
};
static_assert(sizeof(FourierView) == 16, "the device reads this layout");

struct FourierDirection {
    std::int64_t step_u, step_v;
    float angle, cosine, sine;
    std::uint32_t view;
};
static_assert(sizeof(FourierDirection) == 32, "the device reads this layout");

ArrayInfo complex_samples(std::uint64_t x, std::uint64_t y = 1, std::uint64_t z = 1) {
    return {GST_TOMO_FORMAT_COMPLEX64, x, y, z};
}

} // namespace

Spreading Spreading::of_tolerance(double tolerance) {
    struct Tried {
        double error; // of white noise
        double oversampling;
        unsigned width;
        double beta_factor; // to Beatty's formula, for the least error within the circle
    };
    static constexpr Tried tried[] = {{4e-3, 1.25, 4, 1.045},
                                      {6e-4, 1.25, 5, 1.038},
                                      {1.3e-4, 1.25, 6, 1.029},
                                      {3e-5, 1.25, 7, 1.025},
                                      {0.0, 1.5, 7, 1.02}};
    const auto &chosen = *std::find_if(std::begin(tried), std::end(tried),
                                       [&](const Tried &t) { return t.error <= tolerance; });
    // Beatty, Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005), doi 10.1109/TMI.2005.848376.
    const double ratio = chosen.width / chosen.oversampling * (chosen.oversampling - 0.5);
    return {chosen.oversampling, chosen.width,
            chosen.beta_factor * std::numbers::pi * std::sqrt(ratio * ratio - 0.8)};
}

double Spreading::transform(double x) const {
    const double square = beta * beta - std::pow(std::numbers::pi * width * x, 2),
                 root = std::sqrt(std::abs(square));
    const double value = root < 1e-9 ? 1.0 : square > 0.0 ? std::sinh(root) / root : std::sin(root) / root;
    return width * value / std::cyl_bessel_i(0.0, beta);
}

FourierBackprojector::Grid FourierBackprojector::grid_of(unsigned width, unsigned height) const {
    // A sample reaches a point once, not also around the grid.
    const auto points = [&](unsigned pixels) {
        return fourier::good_length(std::max(spreading_.oversampling * pixels, 2.0 * spreading_.width + 2.0));
    };
    return {points(width), points(height)};
}

// The largest power of two that gives the device enough to do, and for which there is memory.
unsigned FourierBackprojector::pairs_of(const ArrayInfo &sinogram, const Grid &grid, unsigned length,
                                        std::uint64_t slices) const {
    auto &device = *compute_.device();
    const std::uint64_t samples = std::uint64_t{sinogram.height} * (length + 2), wanted = (slices + 1) / 2;
    // Lists of both halves of the plane's samples, of cells of 2 x 2 points: (width + 1)^2 / 8 entries for
    // each.
    const std::uint64_t reached = (spreading_.width + 1) * (spreading_.width + 1),
                        lists = samples * reached / 8 * (sizeof(cl_uint) + sizeof(cl_float4));
    const auto most = device.memory_limit() / 2, left = most > lists ? most - lists : 0;
    unsigned pairs = device.prefers_local_memory() ? 16 : 8;
    while (pairs > 1 &&
           (pairs / 2 >= wanted ||
            std::max(samples, grid.points()) * pairs * sizeof(cl_float2) > device.max_allocation() ||
            (samples + grid.points()) * pairs * sizeof(cl_float2) > left))
        pairs /= 2;
    return pairs;
}

unsigned FourierBackprojector::batch_that_pays(const ArrayInfo &sinogram, unsigned width, unsigned height,
                                               unsigned length) const {
    const auto slices = 2 * pairs_of(sinogram, grid_of(width, height), length, G_MAXUINT32);
    return std::max(1u, slices / sinogram.depth);
}

Kernel FourierBackprojector::kernel(const std::string &function, unsigned pairs) const {
    const unsigned lanes = std::min(2 * pairs, in_groups_ ? 8u : 16u);
    return compute_.kernel(function,
                           text("-D PAIRS=%u -D LANES=%u%s", pairs, lanes, in_groups_ ? " -D IN_GROUPS" : ""),
                           "fourier-backproject.cl");
}

void FourierBackprojector::plan(const ArrayInfo &in, const ArrayInfo &out,
                                const std::vector<std::complex<double>> &response) {
    length_ = static_cast<unsigned>(response.size());
    if (length_ % 2 != 0 || length_ < in.width)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("rows of %u samples are padded to %u; wanted an even number, and no less than the row has",
                 in.width, length_));
    auto &device = *compute_.device();
    grid_ = grid_of(out.width, out.height);
    slice_ = out.with_size(out.width, out.height, 1);
    views_ = in.height;
    width_ = in.width;
    pairs_ = pairs_of(in, grid_, length_, in.depth);
    in_groups_ = device.prefers_local_memory() && device.max_work_group() >= 256;
    // On CPUs, rows that stay in a cache; else enough of them to keep the device busy.
    const std::uint64_t together = device.is_cpu() ? 2 << 20 : 64 << 20;
    chunk_ = static_cast<unsigned>(
        std::clamp<std::uint64_t>(together / (sizeof(cl_float2) * length_ * pairs_), 1, views_));
    of_rows_ = {compute_, complex_samples(length_, chunk_), 1, pairs_};
    of_grid_ = {compute_, complex_samples(grid_.columns, grid_.rows), 2, pairs_};
    std::vector<cl_float2> table(length_);
    for (unsigned k = 0; k < length_; k++)
        table[k] = {{static_cast<float>(response[k].real() / length_),
                     static_cast<float>(response[k].imag() / length_)}};
    response_ = compute_.upload(table.data(), table.size() * sizeof table[0]);
    make_deapodization();
    angles_.clear();
    compute_.input_format("sinograms", in.format);
    for (const char *name : {"fourier_rows", "fourier_samples", "fourier_grid", "fourier_crop"})
        kernel(name, pairs_);
}

void FourierBackprojector::make_deapodization() {
    const auto table = [&](unsigned pixels, unsigned points) {
        std::vector<float> factors(pixels);
        for (unsigned i = 0; i < pixels; i++)
            factors[i] = static_cast<float>(points / spreading_.transform((double(i) - pixels / 2) / points));
        return compute_.upload(factors);
    };
    across_ = table(slice_.width, grid_.columns);
    down_ = table(slice_.height, grid_.rows);
}

void FourierBackprojector::set_views(const std::vector<double> &angles, const std::vector<double> &weights,
                                     double axis, double axis_in_slice, const SliceRegion &slice) {
    // From the axis to the middle of the slice, which is at pixel (width / 2, height / 2).
    const double middle_x = double(slice.x) + slice_.width / 2 - axis_in_slice + 0.5,
                 middle_y = double(slice.y) + slice_.height / 2 - axis_in_slice + 0.5;
    std::vector<FourierView> table(angles.size());
    for (std::size_t p = 0; p < angles.size(); p++) {
        double column = axis - 0.5 + middle_x * std::cos(angles[p]) + middle_y * std::sin(angles[p]);
        column -= std::floor(column / length_) * length_;
        table[p] = {std::llround(std::ldexp(column, 24)), static_cast<float>(weights[p]), 0};
    }
    const auto views = compute_.upload(table.data(), table.size() * sizeof table[0]);
    const unsigned columns = length_ / 2 + 1;
    factors_ = compute_.allocate(complex_samples(2, columns, views_));
    compute_.launch(kernel("fourier_factors", pairs_), WorkSize(columns, views_), BareBuffer{views},
                    BareBuffer{response_}, ReadWriteBareBuffer{factors_}, cl_uint{length_});
    if (angles != angles_)
        make_lists(angles);
}

void FourierBackprojector::make_lists(const std::vector<double> &angles) {
    std::vector<FourierDirection> directions(angles.size());
    for (std::size_t p = 0; p < angles.size(); p++) {
        const double cosine = std::cos(angles[p]), sine = std::sin(angles[p]);
        double folded = std::fmod(angles[p], std::numbers::pi);
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
    const Array table = compute_.upload(directions.data(), directions.size() * sizeof directions[0]);

    const unsigned tiles_across = (grid_.columns + tile - 1) / tile, tiles_down = grid_.rows / 2 / tile + 1;
    const unsigned cells = tiles_across * tiles_down * cells_of_tile;
    begins_ = compute_.allocate({GST_TOMO_FORMAT_UINT32, std::uint64_t{cells} + 1, 1});
    // Places of at least one entry, also where there is none.
    lists_ = compute_.allocate({GST_TOMO_FORMAT_UINT32, 1, 1});
    list_weights_ = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, 4, 1});
    const auto walk = [&](bool is_filling) {
        compute_.launch(kernel("fourier_lists", pairs_), WorkSize(cells), BareBuffer{table}, cl_uint{views_},
                        cl_uint{grid_.columns}, cl_uint{grid_.rows}, cl_uint{tiles_across},
                        ReadWriteBareBuffer{begins_}, ReadWriteBareBuffer{lists_},
                        ReadWriteBareBuffer{list_weights_}, cl_uint{is_filling}, cl_uint{length_},
                        cl_uint{spreading_.width}, cl_float(spreading_.beta),
                        cl_float(1.0 / std::cyl_bessel_i(0.0, spreading_.beta)));
    };
    walk(false);
    std::vector<cl_uint> long_lists;
    std::uint64_t entries = 0;
    {
        const Host<cl_uint> counts(begins_);
        for (unsigned cell = 0; cell <= cells; cell++) {
            const cl_uint count = cell < cells ? counts[cell] : 0;
            if (in_groups_ && count > longest_list)
                long_lists.push_back(cell);
            counts[cell] = static_cast<cl_uint>(entries);
            entries += count;
            if (entries > G_MAXUINT32)
                throw Error(
                    GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("%u views with %u samples are too many for a Fourier reconstruction: bin them, or "
                         "backproject",
                         views_, length_));
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
    angles_ = angles;
}

void FourierBackprojector::run(const Array &in, Array &out) {
    if (angles_.size() != in.height() || in.width() != width_ || out.width() != slice_.width ||
        out.height() != slice_.height || out.depth() != in.depth())
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("sinograms of %s and slices of %s came, which were not planned",
                         in.info().describe().c_str(), out.info().describe().c_str()));
    compute_.input_format("sinograms", in.info().format);
    const auto part = [](const Array &array, unsigned z, unsigned planes) {
        return array.plane(z).as(array.info().with_size(array.width(), array.height(), planes));
    };
    for (unsigned z = 0; z < in.depth();) {
        // Pairs are a power of two; a quarter of them may be of nothing.
        const unsigned left = (in.depth() - z + 1) / 2, all = std::bit_ceil(left);
        const unsigned pairs = std::min(pairs_, 4 * left >= 3 * all ? all : std::bit_floor(left));
        const unsigned planes = std::min(2 * pairs, in.depth() - z);
        Array slices = part(out, z, planes);
        run_block(part(in, z, planes), slices, pairs);
        z += planes;
    }
}

void FourierBackprojector::run_block(const Array &in, Array &out, unsigned pairs) {
    const cl_uint slices = in.depth();
    const unsigned columns = length_ / 2 + 1;
    Array rows = compute_.allocate(complex_samples(length_, std::uint64_t{chunk_} * pairs)),
          samples = compute_.allocate(complex_samples(2 * pairs, columns, views_)),
          grid = compute_.allocate(complex_samples(grid_.columns, grid_.rows, pairs)),
          is_bad = compute_.allocate({GST_TOMO_FORMAT_UINT32, 2 * pairs, 1});
    const cl_uint none = 0;
    compute_.fill(is_bad, &none, sizeof none);
    for (unsigned first = 0; first < views_; first += chunk_) {
        compute_.launch(kernel("fourier_rows", pairs), WorkSize(length_, chunk_, pairs), in,
                        ReadWriteBareBuffer{rows}, ReadWriteBareBuffer{is_bad}, cl_uint{first},
                        cl_uint{width_}, cl_uint{views_}, slices, cl_uint{length_});
        of_rows_.run(compute_, FftDirection::Forward, rows, rows);
        const auto size =
            in_groups_ ? WorkSize(columns, pairs, chunk_).groups(16, pairs) : WorkSize(columns, chunk_);
        compute_.launch(kernel("fourier_samples", pairs), size, BareBuffer{rows}, BareBuffer{factors_},
                        ReadWriteBareBuffer{samples}, cl_uint{first}, cl_uint{views_}, cl_uint{length_});
    }
    const unsigned tiles_across = (grid_.columns + tile - 1) / tile, tiles_down = grid_.rows / 2 / tile + 1,
                   tiles = tiles_across * tiles_down;
    if (in_groups_) {
        const unsigned items = cells_of_tile * 2 * pairs / std::min(2 * pairs, 8u);
        compute_.launch(kernel("fourier_grid", pairs), WorkSize(std::size_t{tiles} * items).groups(items),
                        BareBuffer{samples}, BareBuffer{begins_}, BareBuffer{lists_},
                        BareBuffer{list_weights_}, ReadWriteBareBuffer{grid}, cl_uint{grid_.columns},
                        cl_uint{grid_.rows}, cl_uint{tiles_across}, cl_uint{longest_list});
        if (long_list_count_ > 0)
            compute_.launch(kernel("fourier_long_lists", pairs),
                            WorkSize(std::size_t{long_list_count_} * items).groups(items),
                            BareBuffer{samples}, BareBuffer{begins_}, BareBuffer{lists_},
                            BareBuffer{list_weights_}, ReadWriteBareBuffer{grid}, cl_uint{grid_.columns},
                            cl_uint{grid_.rows}, cl_uint{tiles_across}, BareBuffer{long_lists_});
    } else {
        compute_.launch(kernel("fourier_grid", pairs), WorkSize(std::size_t{tiles} * tile / 2).groups(1),
                        BareBuffer{samples}, BareBuffer{begins_}, BareBuffer{lists_},
                        BareBuffer{list_weights_}, ReadWriteBareBuffer{grid}, cl_uint{grid_.columns},
                        cl_uint{grid_.rows}, cl_uint{tiles_across});
    }
    of_grid_.run(compute_, FftDirection::Inverse, grid, grid);
    compute_.launch(kernel("fourier_crop", pairs), WorkSize(out.width(), out.height(), pairs),
                    BareBuffer{grid}, out, BareBuffer{is_bad}, BareBuffer{across_}, BareBuffer{down_},
                    cl_uint{grid_.columns}, cl_uint{grid_.rows}, slices);
}

} // namespace tomo
