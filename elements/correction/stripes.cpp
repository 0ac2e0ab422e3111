// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stripes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tomo {

namespace {

constexpr unsigned modes_at_once = 16; // MODES in kernels/stripes.cl
constexpr unsigned group = 64;         // work-items of kernels that need none of the others

unsigned rounded_up(std::uint64_t n, unsigned to) { return static_cast<unsigned>((n + to - 1) / to * to); }

// A Gaussian over the frequencies of a circle of `n` values is 0 in float32 behind these.
unsigned frequencies_of(double sigma, unsigned n) {
    return static_cast<unsigned>(std::min(std::ceil(7.0 * sigma), std::floor(n / 2.0)));
}

double gaussian(double k, double sigma) { return std::exp(-k * k / (2.0 * sigma * sigma)); }

// Share of a frequency in a sum over those that are not negative.
double share(unsigned k, unsigned n) { return (k == 0 || 2 * k == n ? 1.0 : 2.0) / n; }

double turns(std::uint64_t k, std::uint64_t i, unsigned n) {
    return 2.0 * G_PI * static_cast<double>(k * i % n) / n;
}

// 1, cos 1, sin 1, cos 2, sin 2 ... around a circle of `n` values.
double wave(unsigned mode, unsigned i, unsigned n) {
    const double angle = turns((mode + 1) / 2, i, n);
    return mode % 2 || mode == 0 ? std::cos(angle) : std::sin(angle);
}

// How the columns end: as many values as a tenth of them, but not more than 150, go on behind both ends.
unsigned margin_of(unsigned n) { return std::min(150u, n / 10); }

// Orthonormal polynomials over so many values: those of lower order, times the variable, less what the lower
// ones have of it.
std::vector<std::vector<double>> orthonormal_polynomials(unsigned values, unsigned count) {
    std::vector<std::vector<double>> all;
    for (unsigned m = 0; m < count; m++) {
        std::vector<double> next(values, 1.0);
        if (m > 0)
            for (unsigned y = 0; y < values; y++)
                next[y] = all.back()[y] * (2.0 * y / (values - 1) - 1.0);
        for (int repeat = 0; repeat < 2; repeat++) // the second time takes what rounding left
            for (const auto &lower : all) {
                double product = 0.0;
                for (unsigned y = 0; y < values; y++)
                    product += lower[y] * next[y];
                for (unsigned y = 0; y < values; y++)
                    next[y] -= product * lower[y];
            }
        double square = 0.0;
        for (const double value : next)
            square += value * value;
        for (double &value : next)
            value /= std::sqrt(square);
        all.push_back(std::move(next));
    }
    return all;
}

} // namespace

// Work ------------------------------------------------------------------------------------------------------

bool Stripes::on_cpu() const { return !compute_.device()->prefers_local_memory(); }

unsigned Stripes::items(std::size_t wanted) const {
    return on_cpu() ? 1 : static_cast<unsigned>(std::min(wanted, compute_.device()->max_work_group()));
}

std::string Stripes::options(unsigned height) const {
    return text("-D LANES=%u -D VIEW=%s", lanes(), height <= 65536 ? "ushort" : "uint");
}

Kernel Stripes::kernel(const char *function, const std::string &options) const {
    return compute_.kernel(function, options, "stripes.cl");
}

Kernel Stripes::medians_kernel(unsigned height, unsigned size, Medians medians) const {
    const char *more = medians == Medians::alone     ? ""
                       : medians == Medians::in_time ? " -D IN_TIME"
                                                     : " -D IN_TIME -D ADDED";
    return compute_.kernel("medians_along_rows", options(height) + text(" -D SIZE=%u%s", size, more),
                           "medians-of-ranks.cl");
}

// Some planes at a time, so that a stack needs no more memory than pays off.
void Stripes::by_planes(const Array &in, Array &out,
                        const std::function<void(const Array &, Array &)> &work) const {
    const std::uint64_t room =
        on_cpu() ? 16 << 20 : std::min<std::uint64_t>(512 << 20, compute_.device()->memory_limit() / 16);
    const std::uint64_t plane = in.info().plane_samples() * 24; // keys, views, what sorts them, medians
    const auto planes = static_cast<unsigned>(std::clamp<std::uint64_t>(room / plane, 1, in.depth()));
    for (unsigned z = 0; z < in.depth(); z += planes) {
        const unsigned depth = std::min(planes, in.depth() - z);
        const auto part = [&](const Array &whole) {
            return whole.plane(z).as(whole.info().with_size(whole.width(), whole.height(), depth));
        };
        Array result = part(out);
        compute_.input_format("in", in.info().format);
        work(part(in), result);
    }
}

// Order -----------------------------------------------------------------------------------------------------

Stripes::Ordered Stripes::ordered(const Array &in) {
    const unsigned columns = in.width(), height = in.height(), planes = in.depth();
    compute_.input_format("in", in.info().format);
    Ordered out;
    out.columns = columns;
    out.height = height;
    out.pitch = rounded_up(height, on_cpu() ? lanes() : group);
    out.planes = planes;
    out.keys = compute_.allocate({GST_TOMO_FORMAT_UINT32, out.pitch, columns, planes});
    out.views = compute_.allocate(
        {height <= 65536 ? GST_TOMO_FORMAT_UINT16 : GST_TOMO_FORMAT_UINT32, out.pitch, columns, planes});
    if (on_cpu()) {
        const unsigned tiles = (columns + lanes() - 1) / lanes();
        Array scratch =
            compute_.allocate({GST_TOMO_FORMAT_UINT32, 2 * lanes(), height, std::uint64_t{tiles} * planes});
        compute_.launch(kernel("sort_columns", options(height)), WorkSize(tiles, planes).groups(1), in,
                        out.keys, out.views, ReadWriteBareBuffer{scratch}, out.columns, out.height,
                        out.pitch);
        return out;
    }
    // Local memory of 48 KB is there on every GPU; the kernel leaves every ninth place free.
    constexpr std::size_t most = 48 << 10;
    const std::size_t places = std::min(most, compute_.device()->local_memory()) / sizeof(cl_ulong);
    if (height + height / 8 + 1 > places) {
        sort_far(in, out);
        return out;
    }
    const unsigned group_size = items(std::clamp(2 * std::bit_floor(height / 8), 32u, 512u));
    compute_.launch(kernel("sort_columns", options(height)),
                    WorkSize(std::size_t{columns} * group_size, planes).groups(group_size), in, out.keys,
                    out.views, out.columns, out.height, out.pitch,
                    LocalMemory{(height + height / 8 + 1) * sizeof(cl_ulong)});
    return out;
}

// Columns that local memory is too small for.
void Stripes::sort_far(const Array &in, Ordered &out) {
    const std::size_t places =
        std::min<std::size_t>(48 << 10, compute_.device()->local_memory()) / sizeof(cl_ulong);
    const cl_uint block = std::bit_floor(static_cast<cl_uint>(places * 8 / 9));
    const unsigned blocks = (out.height + block - 1) / block, group_size = items(512);
    const auto near = WorkSize(std::size_t{blocks} * group_size, out.columns, out.planes).groups(group_size);
    const auto far = WorkSize(out.height / 8, out.columns, out.planes).groups(group);
    const LocalMemory local{(block + block / 8 + 1) * sizeof(cl_ulong)};
    const auto how = options(out.height);
    Array scratch = compute_.allocate({GST_TOMO_FORMAT_FLOAT64, out.height, out.columns, out.planes});
    compute_.launch(kernel("sort_blocks", how), near, in, ReadWriteBareBuffer{scratch}, out.columns,
                    out.height, block, local);
    for (unsigned k = 2 * block; k < 2 * out.height; k *= 2) {
        unsigned steps = std::countr_zero(k) % 3;
        steps = steps ? steps : 3;
        cl_uint s = k >> steps;
        compute_.launch(kernel("sort_far", how), far, ReadWriteBareBuffer{scratch}, out.columns, out.height,
                        s, cl_uint{steps}, cl_int{1});
        while (s > block) {
            s /= 8;
            compute_.launch(kernel("sort_far", how), far, ReadWriteBareBuffer{scratch}, out.columns,
                            out.height, s, cl_uint{3}, cl_int{0});
        }
        if (s > 1)
            compute_.launch(kernel("sort_near", how), near, ReadWriteBareBuffer{scratch}, out.columns,
                            out.height, block, s, local);
    }
    compute_.launch(kernel("sort_end", how), WorkSize(out.height, out.columns, out.planes),
                    BareBuffer{scratch}, out.keys, out.views, out.columns, out.height, out.pitch);
}

// A window is put in order once for each run, so a run is long; but not so long that a GPU has nothing to do.
WorkSize Stripes::windows(const Ordered &columns, unsigned size, cl_uint &run) const {
    run = on_cpu() ? std::max(64u, 2 * size) : columns.height == 1 ? 8 : std::max(32u, size);
    WorkSize work(columns.pitch / lanes(), (columns.columns + run - 1) / run, columns.planes);
    return on_cpu() ? work : work.groups(group);
}

void Stripes::prepare(const ArrayInfo &in, unsigned size, Medians medians) {
    compute_.input_format("in", in.format);
    kernel("sort_columns", options(in.height));
    medians_kernel(in.height, size, medians);
}

Array Stripes::medians(const Ordered &columns, unsigned size) {
    Array medians = compute_.allocate(columns.keys.info());
    const Array &keys = columns.keys;
    cl_uint run;
    const auto work = windows(columns, size, run);
    compute_.launch(medians_kernel(columns.height, size, Medians::alone), work, keys, medians,
                    columns.columns, columns.pitch, run);
    return medians;
}

void Stripes::put_medians(const Ordered &columns, unsigned size, Array &out, bool added) {
    const Array &keys = columns.keys, &views = columns.views;
    cl_uint run;
    const auto work = windows(columns, size, run);
    compute_.launch(medians_kernel(columns.height, size, added ? Medians::added : Medians::in_time), work,
                    keys, views, ReadWrite{out}, columns.height, columns.columns, columns.pitch, run);
}

void Stripes::sort_out(const Array &in, Array &out, unsigned size) {
    by_planes(in, out,
              [&](const Array &part, Array &result) { put_medians(ordered(part), size, result, false); });
}

// Stripes ---------------------------------------------------------------------------------------------------

// Of planes of one row. The ratios themselves are put in order, as a column.
Array Stripes::marks(const Array &ratios, double snr, bool gaps) {
    const cl_uint columns = ratios.width();
    const unsigned planes = ratios.depth(), group_size = items(256);
    const auto column = ordered(ratios.as(ratios.info().with_size(1, columns, planes)));
    const Array &keys = column.keys;
    Array marks = compute_.allocate({GST_TOMO_FORMAT_UINT8, columns, 1, planes});
    compute_.launch(kernel("mark_stripes", options(columns)),
                    WorkSize(std::size_t{planes} * group_size).groups(group_size), keys, ratios, marks,
                    columns, column.pitch, static_cast<float>(snr), cl_int{gaps},
                    LocalMemory{group_size * sizeof(cl_double)});
    return marks;
}

void Stripes::normalise_large(const Array &in, Array &out, unsigned size, double snr, double drop_ratio) {
    by_planes(in, out, [&](const Array &part, Array &result) {
        const auto columns = ordered(part);
        const auto how = options(columns.height);
        const Array smoothed = medians(columns, size);
        const Array &keys = columns.keys, &views = columns.views;
        const unsigned group_size = items(128);
        Array ratios = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, columns.columns, 1, columns.planes});
        compute_.launch(
            kernel("column_ratios", how),
            WorkSize(std::size_t{columns.columns} * group_size, columns.planes).groups(group_size), keys,
            smoothed, ratios, columns.columns, columns.height, columns.pitch,
            static_cast<cl_uint>(drop_ratio / 2.0 * columns.height),
            LocalMemory{group_size * sizeof(cl_double)});
        const Array stripes = marks(ratios, snr, false);
        const Array &known_ratios = ratios;
        compute_.input_format("in", part.info().format);
        compute_.launch(kernel("normalise", how), WorkSize(part.info()), part, known_ratios, result);
        compute_.launch(kernel("replace_stripes", how),
                        WorkSize(columns.height, columns.columns, columns.planes), smoothed, views, stripes,
                        ReadWrite{result}, columns.height, columns.pitch);
    });
}

void Stripes::bridge_dead(const Array &in, Array &out, unsigned size, double snr) {
    by_planes(in, out, [&](const Array &part, Array &result) {
        Ordered list; // a column of one rank for each column
        list.columns = part.width();
        list.height = 1;
        list.pitch = on_cpu() ? lanes() : group;
        list.planes = part.depth();
        const cl_uint height = part.height();
        const auto how = options(1);
        const std::size_t enough = on_cpu() ? 4 * compute_.device()->compute_units() : 1 << 16;
        const auto parts = static_cast<cl_uint>(std::clamp<std::size_t>(
            enough / (std::size_t{list.columns} * list.planes), 1, (height + 31) / 32));
        const cl_uint views = (height + parts - 1) / parts;
        Array sums = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, list.columns, parts, list.planes});
        WorkSize work(list.columns, parts, list.planes);
        if (!on_cpu())
            work.groups(group);
        compute_.launch(kernel("roughness", how), work, part, sums, list.columns, height, views);
        list.keys = compute_.allocate({GST_TOMO_FORMAT_UINT32, list.pitch, list.columns, list.planes});
        const Array &known_sums = sums, &keys = list.keys;
        compute_.launch(kernel("roughness_keys", how), WorkSize(list.columns, list.planes), known_sums,
                        list.keys, parts, height, list.pitch);
        const Array smoothed = medians(list, size);
        const unsigned group_size = items(256);
        Array ratios = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, list.columns, 1, list.planes});
        compute_.launch(kernel("roughness_ratios", how),
                        WorkSize(std::size_t{list.planes} * group_size).groups(group_size), keys, smoothed,
                        ratios, list.columns, list.pitch, LocalMemory{group_size * sizeof(cl_double)});
        const Array stripes = marks(ratios, snr, true);
        compute_.input_format("in", part.info().format);
        compute_.launch(kernel("bridge_stripes", how), WorkSize(part.info()), part, stripes, result);
    });
}

// Columns as sums of functions ------------------------------------------------------------------------------

void Stripes::upload_tables(Functions &functions, const std::function<double(unsigned, unsigned)> &analysis,
                            const std::function<double(unsigned, unsigned)> &synthesis) {
    functions.modes = rounded_up(functions.count, modes_at_once);
    functions.length = rounded_up(functions.views, 8);
    std::vector<float> table(std::size_t{functions.views} * functions.modes);
    for (unsigned y = 0; y < functions.views; y++)
        for (unsigned m = 0; m < functions.count; m++)
            table[std::size_t{y} * functions.modes + m] = static_cast<float>(analysis(m, y));
    functions.analysis = compute_.upload(table);
    table.assign(std::size_t{functions.count} * functions.length, 0.0f);
    for (unsigned m = 0; m < functions.count; m++)
        for (unsigned y = 0; y < functions.views; y++)
            table[std::size_t{m} * functions.length + y] = static_cast<float>(synthesis(m, y));
    functions.synthesis = compute_.upload(table);
}

// The low frequencies of a column that is mirrored at its ends.
const Stripes::Functions &Stripes::frequencies(unsigned views, double sigma) {
    if (window_.views == views && window_.sigma == sigma)
        return window_;
    window_ = {};
    window_.views = views;
    window_.sigma = sigma;
    const unsigned margin = margin_of(views), n = views + 2 * margin;
    window_.count = std::min(2 * frequencies_of(sigma, n) + 1, n);
    upload_tables(
        window_,
        [&](unsigned m, unsigned y) {
            double sum = wave(m, margin + y, n);
            if (y > 0 && y <= margin)
                sum += wave(m, margin - y, n);
            if (y + 1 < views && views - 1 - y <= margin)
                sum += wave(m, margin + 2 * (views - 1) - y, n);
            return sum;
        },
        [&](unsigned m, unsigned y) {
            const unsigned k = (m + 1) / 2;
            return wave(m, margin + y, n) * gaussian(k, sigma) * share(k, n);
        });
    return window_;
}

const Stripes::Functions &Stripes::polynomials(const ArrayInfo &in, unsigned order, double sigma) {
    auto &p = polynomials_;
    const unsigned count = std::min(order, in.height - 1) + 1;
    if (p.views == in.height && p.columns == in.width && p.sigma == sigma && p.count == count)
        return p;
    p = {};
    p.views = in.height;
    p.columns = in.width;
    p.sigma = sigma;
    p.count = count;
    const auto values = orthonormal_polynomials(p.views, count);
    const auto value = [&](unsigned m, unsigned y) { return values[m][y]; };
    upload_tables(p, value, value);

    p.pad = margin_of(p.columns);
    const unsigned n = p.columns + 2 * p.pad, highest = frequencies_of(sigma, n);
    std::vector<float> weights;
    for (unsigned d = 0; d <= n / 2; d++) {
        double sum = 0.0;
        for (unsigned k = 0; k <= highest; k++)
            sum += share(k, n) * gaussian(k, sigma) * std::cos(turns(k, d, n));
        weights.push_back(static_cast<float>(sum));
        if (std::abs(sum) > 1e-9 * weights[0])
            p.reach = d;
    }
    p.weights = compute_.upload(weights);
    return p;
}

// How much of each function the columns have.
Array Stripes::fits(const Array &in, const Functions &functions) {
    const cl_uint columns = in.width(), height = in.height();
    const unsigned chunks = functions.modes / modes_at_once;
    constexpr std::size_t enough = 1 << 16;
    const auto parts = static_cast<cl_uint>(
        on_cpu() ? 1
                 : std::clamp<std::size_t>(enough / (std::size_t{columns} * in.depth() * chunks), 1,
                                           (height + 31) / 32));
    const cl_uint views = (height + parts - 1) / parts;
    Array sums = compute_.allocate(
        {GST_TOMO_FORMAT_FLOAT32, columns, std::uint64_t{parts} * functions.modes, in.depth()});
    WorkSize work((columns + lanes() - 1) / lanes(), parts, std::size_t{in.depth()} * chunks);
    if (!on_cpu())
        work.groups(group);
    compute_.launch(kernel("analyse", options(height)), work, in, sums, BareBuffer{functions.analysis},
                    columns, height, cl_uint{functions.modes}, parts, views);
    if (parts == 1)
        return sums;
    const Array &known_sums = sums;
    Array whole = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, columns, functions.modes, in.depth()});
    compute_.launch(kernel("add_parts", options(height)), WorkSize(whole.info()), known_sums, whole, parts);
    return whole;
}

void Stripes::filter_out(const Array &in, Array &out, double sigma, unsigned size) {
    const auto &window = frequencies(in.height(), sigma);
    by_planes(in, out, [&](const Array &part, Array &result) {
        const Array fit = fits(part, window);
        Array low = compute_.allocate(result.info());
        WorkSize work(part.width(), window.length / 8, part.depth());
        if (!on_cpu())
            work.groups(group);
        compute_.launch(kernel("separate", options(part.height())), work, part, fit, low, result,
                        BareBuffer{window.synthesis}, cl_uint{window.length}, cl_uint{part.width()},
                        cl_uint{part.height()}, cl_uint{window.modes}, cl_uint{window.count});
        put_medians(ordered(low), size, result, true);
    });
}

void Stripes::fit_out(const Array &in, Array &out, unsigned order, double sigma) {
    const auto &p = polynomials(in.info(), order, sigma);
    by_planes(in, out, [&](const Array &part, Array &result) {
        const auto how = options(part.height());
        const WorkSize modes(part.width(), p.count, part.depth());
        const Array known = fits(part, p);
        Array all = compute_.allocate(known.info()), smooth = compute_.allocate(known.info());
        compute_.launch(kernel("borrow_fits", how), modes, known, all, cl_uint{p.modes});
        const Array &fitted = all, &smoothed = smooth;
        compute_.launch(kernel("smooth_fits", how), modes, fitted, smooth, BareBuffer{p.weights},
                        cl_uint{p.pad}, cl_uint{p.reach}, cl_uint{p.modes});
        WorkSize work(part.width(), p.length / 8, part.depth());
        if (!on_cpu())
            work.groups(group);
        compute_.launch(kernel("apply_fits", how), work, part, known, fitted, smoothed, result,
                        BareBuffer{p.synthesis}, cl_uint{p.length}, cl_uint{part.width()},
                        cl_uint{part.height()}, cl_uint{p.modes}, cl_uint{p.count});
    });
}

} // namespace tomo
