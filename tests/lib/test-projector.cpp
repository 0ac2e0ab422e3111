// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projection and its transpose, as a solver uses them: one against the other, and both against the definition
// in float64.

#include <gst/operators/fourier-projector.hpp>
#include <gst/operators/solver.hpp>
#include <gst/tomo/device/device.hpp>

#include <cmath>
#include <numbers>

#include "linear-algebra.hpp" // last: it defines macros named like members of the standard library

using namespace tomotest;
using namespace tomo;

namespace {

struct Geometry {
    ParallelBeam beam;
    SliceRegion slice;
};

// Joseph's method, weight by weight: f(sample of the volume, sample of the projections, weight).
template <class F>
void each_weight(const Geometry &g, F f) {
    const double centre = 0.5 - g.beam.axis;
    for (std::size_t view = 0; view < g.beam.angles.size(); view++) {
        const double c = std::cos(g.beam.angles[view]), s = std::sin(g.beam.angles[view]);
        const bool is_turned = std::abs(s) >= std::abs(c); // the ray is closer to the x axis
        const unsigned lines = is_turned ? g.slice.width : g.slice.height,
                       length = is_turned ? g.slice.height : g.slice.width;
        for (unsigned column = 0; column < g.beam.columns; column++)
            for (unsigned line = 0; line < lines; line++) {
                const double distance = column + centre;
                const double at = is_turned
                                      ? (distance - (line + g.slice.x + centre) * c) / s - g.slice.y - centre
                                      : (distance - (line + g.slice.y + centre) * s) / c - g.slice.x - centre;
                const double before = std::floor(at);
                for (const double sample : {before, before + 1}) {
                    if (sample < 0 || sample >= length)
                        continue;
                    const auto k = static_cast<unsigned>(sample);
                    const std::size_t pixel = is_turned ? k * g.slice.width + line : line * g.slice.width + k;
                    f(pixel, view * g.beam.columns + column,
                      (1 - std::abs(at - sample)) / std::max(std::abs(s), std::abs(c)));
                }
            }
    }
}

// Odd sizes, an axis far off the middle, uneven angles, among them those where rays change their lines.
Geometry any_geometry() {
    const auto odd = [](unsigned most) { return static_cast<unsigned>(2 * random_between(1, most / 2) + 1); };
    Geometry g{{{}, 0.0, odd(90)}, {0, 0, odd(80), odd(80), 1}};
    g.beam.axis = uniform(-0.2, 1.2) * g.beam.columns;
    g.slice.x = random_between(0, 20);
    g.slice.y = random_between(0, 20);
    g.beam.angles = {0.0, G_PI_4, G_PI_2, 3 * G_PI_4, G_PI};
    const auto views = odd(60);
    while (g.beam.angles.size() < views)
        g.beam.angles.push_back(uniform(-7, 7));
    return g;
}

// One in which the detector sees something.
Geometry random_geometry() {
    for (;;) {
        auto g = any_geometry();
        std::size_t weights = 0;
        each_weight(g, [&](std::size_t, std::size_t, double) { weights++; });
        if (weights > 5000)
            return g;
    }
}

Pair apply(Compute &compute, const Geometry &g, unsigned slices) {
    ParallelProjector projector(compute, g.beam, g.slice);
    return tomotest::apply(compute, projector, slices);
}

} // namespace

GST_START_TEST(test_pair) {
    Compute compute(open_device());
    for (const unsigned slices : {1, 3, 8, 17, 40, 70}) {
        const auto g = random_geometry();
        const auto pair = apply(compute, g, slices);
        const double one = product(pair.forward, pair.y), other = product(pair.x, pair.back);
        const double size = norm(pair.forward) * norm(pair.y);
        g_print("%u slices: <Ax, y> = %.9g, <x, A*y> = %.9g, %.2g of |Ax| |y|\n", slices, one, other,
                std::abs(one - other) / size);
        fail_unless(size > 0.0 && std::abs(one - other) <= 1e-6 * size, "%u slices: %.9g and %.9g", slices,
                    one, other);

        std::vector<double> forward(pair.forward.size()), back(pair.back.size());
        const std::size_t pixels = pair.x.size() / slices, rays = pair.y.size() / slices;
        each_weight(g, [&](std::size_t pixel, std::size_t ray, double weight) {
            for (unsigned z = 0; z < slices; z++) {
                forward[z * rays + ray] += weight * pair.x[z * pixels + pixel];
                back[z * pixels + pixel] += weight * pair.y[z * rays + ray];
            }
        });
        g_print("forward is %.2g, back is %.2g away\n", distance(pair.forward, forward),
                distance(pair.back, back));
        // Positions are whole and fraction there, and float within a tile of up to 64 pixels here.
        fail_unless(distance(pair.forward, forward) <= 1e-6, "forward: %g", distance(pair.forward, forward));
        fail_unless(distance(pair.back, back) <= 1e-5, "back: %g", distance(pair.back, back));
    }
}
GST_END_TEST;

namespace {

// Columns of the transforms, which see all of the slice from each side.
double fourier_length(const Geometry &g) {
    const double axis = g.beam.axis, in_slice = g.beam.axis_in_slice.value_or(axis);
    const auto farthest = [](double from, double to) { return std::max(std::abs(from), std::abs(to)); };
    const double pixels = std::hypot(farthest(g.slice.x - in_slice, g.slice.x - in_slice + g.slice.width),
                                     farthest(g.slice.y - in_slice, g.slice.y - in_slice + g.slice.height)),
                 columns = farthest(axis, g.beam.columns - axis);
    return fourier::good_length(std::max<double>(pixels + columns, g.beam.columns));
}

// The same for projection by Fourier transforms: each weight is a sum of cosines, in closed form.
template <class F>
void each_fourier_weight(const Geometry &g, F f) {
    const double axis = g.beam.axis, in_slice = g.beam.axis_in_slice.value_or(axis), pi = std::numbers::pi;
    const double length = fourier_length(g);
    for (std::size_t view = 0; view < g.beam.angles.size(); view++) {
        const double c = std::cos(g.beam.angles[view]), s = std::sin(g.beam.angles[view]);
        for (unsigned y = 0; y < g.slice.height; y++)
            for (unsigned x = 0; x < g.slice.width; x++) {
                const double seen =
                    (x + g.slice.x + 0.5 - in_slice) * c + (y + g.slice.y + 0.5 - in_slice) * s;
                for (unsigned column = 0; column < g.beam.columns; column++) {
                    const double turn = pi * (column + 0.5 - axis - seen) / length, sine = std::sin(turn);
                    f(y * g.slice.width + x, view * g.beam.columns + column,
                      std::abs(sine) < 1e-9
                          ? (length - 1) / length * (std::cos(turn * (length - 1)) * std::cos(turn))
                          : std::sin((length - 1) * turn) / sine / length);
                }
            }
    }
}

} // namespace

GST_START_TEST(test_fourier_pair) {
    Compute compute(open_device());
    const std::pair<unsigned, double> cases[] = {{1, 2e-3}, {2, 1e-4}, {5, 1e-2}, {17, 1e-5}, {35, 2e-3}};
    for (const auto &[slices, tolerance] : cases) {
        auto g = any_geometry();
        g.slice.width = std::min(g.slice.width, 31u);
        g.slice.height = std::min(g.slice.height, 31u);
        g.beam.columns = std::min(g.beam.columns, 41u);
        g.beam.angles.resize(std::min<std::size_t>(g.beam.angles.size(), 13));
        if (slices > 2)
            g.beam.axis_in_slice = uniform(-10, 50);
        FourierProjector projector(compute, g.beam, g.slice, FourierProjector::spreading_of(tolerance));
        const auto is_inside = [&](std::size_t pixel) {
            const auto part = [](double at, double size) { return (2 * at + 1) / size - 1; };
            return std::hypot(part(double(pixel % g.slice.width), g.slice.width),
                              part(double(pixel / g.slice.width), g.slice.height)) <= 1.0;
        };
        const std::size_t pixels = std::size_t{g.slice.width} * g.slice.height;
        const auto pair =
            tomotest::apply(compute, projector, slices, [&](std::size_t i) { return is_inside(i % pixels); });
        const double one = product(pair.forward, pair.y), other = product(pair.x, pair.back);
        const double size = norm(pair.forward) * norm(pair.y);
        fail_unless(size > 0.0 && std::abs(one - other) <= 1e-6 * size, "%u slices: %.9g and %.9g", slices,
                    one, other);
        std::vector<double> forward(pair.forward.size()), back(pair.back.size());
        const std::size_t rays = pair.y.size() / slices;
        each_fourier_weight(g, [&](std::size_t pixel, std::size_t ray, double weight) {
            for (unsigned z = 0; z < slices; z++) {
                forward[z * rays + ray] += weight * pair.x[z * pixels + pixel];
                back[z * pixels + pixel] += weight * pair.y[z * rays + ray];
            }
        });
        auto seen = pair.back;
        for (std::size_t i = 0; i < seen.size(); i++)
            if (!is_inside(i % pixels))
                seen[i] = back[i] = 0.0;
        // The tolerance is that of all columns, of slices within an ellipse, and each column has its part of
        // the error, also where the detector sees little of the slice.
        std::size_t inside = 0;
        for (std::size_t pixel = 0; pixel < pixels; pixel++)
            inside += is_inside(pixel);
        const double length = fourier_length(g);
        const double of_forward = norm(pair.x) * std::sqrt(rays / length),
                     of_back = norm(pair.y) * std::sqrt(inside / length);
        const double forward_error = distance(pair.forward, forward) * norm(forward) / of_forward,
                     back_error = distance(seen, back) * norm(back) / of_back;
        g_print("%u slices, %g: forward is %.2g, back is %.2g away, <Ax, y> and <x, A*y> %.2g of |Ax| |y|\n",
                slices, tolerance, forward_error, back_error, std::abs(one - other) / size);
        fail_unless(forward_error <= tolerance, "forward: %g", forward_error);
        fail_unless(back_error <= tolerance, "back: %g", back_error);
    }
}
GST_END_TEST;

// The backprojection of FBP is another one, which these tests would notice.
GST_START_TEST(test_linear_is_no_transpose) {
    Compute compute(open_device());
    auto g = random_geometry();
    g.beam.axis = 0.5 * g.beam.columns;
    g.slice = {0, 0, g.beam.columns, g.beam.columns, g.beam.columns};
    const auto pair = apply(compute, g, 1);
    ParallelProjector projector(compute, g.beam, g.slice);
    Array y = compute.allocate(projector.projections(1)), slices = compute.allocate(projector.volume(1));
    {
        const Host<float> host(y);
        std::copy(pair.y.begin(), pair.y.end(), host.data());
    }
    ParallelBackprojector linear(compute, BackprojectMode::linear, Precision::single);
    linear.plan(y.info(), slices.info());
    std::vector<double> weights;
    for (const double angle : g.beam.angles)
        weights.push_back(1.0 / std::max(std::abs(std::cos(angle)), std::abs(std::sin(angle))));
    linear.set_views(backproject_rows(g.beam.angles, weights, g.beam.axis, g.slice));
    linear.run(y, slices);
    fail_unless(distance(values_of(slices), pair.back) > 1e-3);
}
GST_END_TEST;

GST_START_TEST(test_what_does_not_fit) {
    Compute compute(open_device());
    const auto g = random_geometry();
    ParallelProjector projector(compute, g.beam, g.slice);
    const auto volume = projector.volume(2), projections = projector.projections(2);
    const auto forward = [&](const ArrayInfo &from, const ArrayInfo &to) {
        Array volume = compute.allocate(from), projections = compute.allocate(to);
        return error_of([&] { projector.forward(volume, projections); });
    };
    const auto back = [&](const ArrayInfo &from, const ArrayInfo &to) {
        Array projections = compute.allocate(from), volume = compute.allocate(to);
        return error_of([&] { projector.back(projections, volume); });
    };
    for (const auto format : {GST_TOMO_FORMAT_FLOAT32, GST_TOMO_FORMAT_UINT16}) {
        fail_unless_equals_string(forward(volume.with_format(format), projections).c_str(), "");
        fail_unless_equals_string(back(projections.with_format(format), volume).c_str(), "");
    }
    for (const auto format : {GST_TOMO_FORMAT_COMPLEX64, GST_TOMO_FORMAT_UINT16}) {
        expect_words(forward(volume, projections.with_format(format)), {"wanted", "float32"});
        expect_words(back(projections, volume.with_format(format)), {"wanted", "float32"});
    }
    expect_words(forward(volume.with_format(GST_TOMO_FORMAT_COMPLEX64), projections),
                 {"complex64", "wanted"});
    expect_words(back(projections.with_format(GST_TOMO_FORMAT_COMPLEX64), volume), {"complex64", "wanted"});
    const auto others_of = [](const ArrayInfo &info) {
        return std::vector{info.with_size(info.width + 1, info.height),
                           info.with_size(info.width, info.height - 1),
                           info.with_size(info.width, info.height, info.depth + 1)};
    };
    for (const auto &other : others_of(volume)) {
        expect_words(forward(other, projections), {other.describe(), "wanted"});
        expect_words(back(projections, other), {"wanted", volume.describe()});
    }
    for (const auto &other : others_of(projections)) {
        expect_words(forward(volume, other), {"wanted", projections.describe()});
        expect_words(back(other, volume), {other.describe(), "wanted"});
    }
}
GST_END_TEST;

GST_START_TEST(test_geometry_that_cannot_be) {
    Compute compute(open_device());
    const auto g = random_geometry();
    const auto error = [&](auto change) {
        auto other = g;
        change(other);
        return error_of([&] { ParallelProjector(compute, other.beam, other.slice); });
    };
    expect_words(error([](Geometry &o) { o.beam.angles.clear(); }), {"one angle"});
    for (const double angle : {HUGE_VAL, -HUGE_VAL, std::nan("")})
        expect_words(error([&](Geometry &o) { o.beam.angles[2] = angle; }), {"view 2", "finite"});
    for (const double axis : {HUGE_VAL, std::nan(""), 1.01e6, -1.01e6})
        expect_words(error([&](Geometry &o) { o.beam.axis = axis; }), {"axis", "1000000"});
    expect_words(error([](Geometry &o) { o.beam.columns = 0; }), {"0 columns"});
    expect_words(error([](Geometry &o) { o.slice.width = 0; }), {"0 x"});
    expect_words(error([](Geometry &o) { o.slice.y = 4000000000u; }), {"4000000000", "edges"});
    for (const double axis : {1e6, -1e6})
        fail_unless_equals_string(error([&](Geometry &o) { o.beam.axis = axis; }).c_str(), "");
}
GST_END_TEST;

GST_START_TEST(test_backprojector_refuses_other_arrays) {
    Compute compute(open_device());
    const unsigned columns = 13, views = 7, planes = 3;
    const SliceRegion slice{0, 0, 11, 9, columns};
    const ArrayInfo sinograms(GST_TOMO_FORMAT_FLOAT32, columns, views, planes);
    const ArrayInfo slices(GST_TOMO_FORMAT_FLOAT32, slice.width, slice.height, planes);
    ParallelBackprojector backprojector(compute, BackprojectMode::linear, Precision::single);
    const auto run = [&](const ArrayInfo &from, const ArrayInfo &to) {
        Array in = compute.allocate(from), out = compute.allocate(to);
        return error_of([&] { backprojector.run(in, out); });
    };
    const auto set_views = [&](unsigned number) {
        backprojector.set_views(
            backproject_rows(std::vector<double>(number, 0.5), std::vector<double>(number, 1.0), 6.5, slice));
    };
    expect_words(run(sinograms, slices), {"plan()", "set_views()"});
    set_views(views);
    expect_words(run(sinograms, slices), {"plan()"});
    backprojector.plan(sinograms, slices);
    fail_unless_equals_string(run(sinograms, slices).c_str(), "");
    fail_unless_equals_string(run(sinograms.with_size(columns, views, 1), slices.with_size(11, 9, 1)).c_str(),
                              ""); // a smaller batch
    const std::pair<ArrayInfo, ArrayInfo> others[] = {
        {sinograms.with_size(columns + 1, views), slices},
        {sinograms, slices.with_size(12, 9)},
        {sinograms, slices.with_size(11, 8)},
        {sinograms, slices.with_size(11, 9, planes + 1)},
        {sinograms.with_size(columns, views, planes + 1), slices.with_size(11, 9, planes + 1)},
        {sinograms.with_format(GST_TOMO_FORMAT_COMPLEX64), slices},
        {sinograms, slices.with_format(GST_TOMO_FORMAT_UINT16)},
    };
    for (const auto &[in, out] : others)
        expect_words(run(in, out), {"wanted", "planned", "13 x 7", "11 x 9"});
    expect_words(run(sinograms.with_size(columns, views - 1), slices), {"7 views"});
    set_views(views + 1);
    expect_words(run(sinograms, slices), {"8 views"});
    backprojector.forget_views();
    expect_words(run(sinograms, slices), {"set_views()"});
}
GST_END_TEST;

// A sweep keeps no sums of each view, which would take an eighth of the memory here, but copies of all
// slices.
GST_START_TEST(test_slices_of_a_sweep) {
    const auto opened = open_device();
    const Device &device = *opened;
    const ArrayInfo slice(GST_TOMO_FORMAT_FLOAT32, 600, 500);
    const auto views = device.memory_limit() / 8 / slice.size();
    const ArrayInfo sinogram(GST_TOMO_FORMAT_FLOAT32, 1, views);
    SolverSettings settings{.subsets = G_MAXUINT};
    const auto fit = [&] {
        return Solver::slices_that_fit(SolverMethod::additive, settings, sinogram, slice, device);
    };
    const auto with_sums = fit();
    settings.sweep_memory = ParallelProjector::sweep_memory;
    const auto swept = fit();
    settings.given = 1;
    const auto masked = fit();
    g_print("%" G_GUINT64_FORMAT " slices with sums of views, %" G_GUINT64_FORMAT
            " in a sweep, %" G_GUINT64_FORMAT " with a mask\n",
            with_sums, swept, masked);
    fail_unless(swept > with_sums && swept > masked);
    // x, its copy in sets, and the slices that go on.
    const auto room = device.memory_limit() / 3;
    fail_unless(3 * swept * slice.size() < room && (3 * swept + 64) * slice.size() > room / 10 * 9);
    // Margins, and slices side by side: 3 become 4.
    const auto memory = ParallelProjector::sweep_memory(device, ArrayInfo(GST_TOMO_FORMAT_FLOAT32, 16, 1),
                                                        slice.with_size(60, 50, 3), true);
    fail_unless(memory.largest == 4 * 4 * (60 + 4) * (50 + 4));
    fail_unless(memory.all >= 2 * memory.largest + 4 * 4 * (16 + 4));
}
GST_END_TEST;

static Suite *projector_suite() {
    Suite *suite = suite_create("projector");
    TCase *tc = tcase_create("projector");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, test_pair);
    tcase_add_test(tc, test_fourier_pair);
    tcase_add_test(tc, test_linear_is_no_transpose);
    tcase_add_test(tc, test_what_does_not_fit);
    tcase_add_test(tc, test_slices_of_a_sweep);
    tcase_add_test(tc, test_geometry_that_cannot_be);
    tcase_add_test(tc, test_backprojector_refuses_other_arrays);
    return suite;
}

GST_CHECK_MAIN(projector)
