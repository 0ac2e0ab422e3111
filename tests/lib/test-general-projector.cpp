// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projection in any geometry and its transpose: one against the other, both against the definition in
// float64, and against the projector of parallel beams.
#include <gst/operators/general-projector.hpp>
#include <gst/operators/parallel-projector.hpp>
#include <gst/operators/shared-projector.hpp>
#include <gst/operators/solver.hpp>

#include <cmath>

#include "linear-algebra.hpp" // last: it defines macros named like members of the standard library

using namespace tomotest;
using namespace tomo;

namespace {

struct Geometry {
    std::vector<ViewGeometry> views;
    unsigned columns, rows;
    VolumeGrid grid;
};

enum class Beam { parallel, cone, wide };

// Everything is turned and shifted at once. A wide cone has rays with several driving axes in each view.
Geometry random_geometry(Beam beam) {
    const auto odd = [](unsigned most) { return static_cast<unsigned>(2 * random_between(1, most / 2) + 1); };
    Geometry g{{}, odd(30), odd(30), {}};
    for (auto *axis : {&g.grid.x, &g.grid.y, &g.grid.z}) {
        axis->count = odd(24);
        axis->step = uniform(0.7, 1.3) * (random_between(0, 1) ? 1 : -1);
        axis->from = -0.5 * (axis->count - 1) * axis->step + uniform(-3, 3);
    }
    const unsigned views = odd(12);
    for (unsigned i = 0; i < views; i++) {
        Arrangement a;
        for (unsigned part = 0; part < part_count; part++)
            part_of(a, Part{static_cast<int>(part)}) = uniform(-0.3, 0.3);
        a.axis_angle.z = i % 3 == 0 ? G_PI_4 * random_between(0, 8) : uniform(-7, 7);
        a.axis_angle.x = uniform(-1.5, 1.5); // also rays that are driven along z
        a.source = {uniform(-9, 9), -Arrangement::infinity, uniform(-9, 9)};
        if (beam != Beam::parallel)
            a.source.y = beam == Beam::cone ? uniform(-900, -200) : uniform(-50, -40);
        a.detector = {uniform(-5, 5), uniform(20, 60), uniform(-5, 5)};
        a.centre_x = 0.5 * g.columns + uniform(-3, 3);
        a.centre_z = 0.5 * g.rows + uniform(-3, 3);
        g.views.emplace_back(a, i);
    }
    return g;
}

// Columns of the detector are along z, and so are their rays' lines in the volume. `views` other than 0 are
// equal steps of a turn of a square volume about its middle; else there are some at any angles, more than a
// work-group makes.
Geometry upright_geometry(Beam beam, unsigned views, double sense) {
    Geometry g = random_geometry(beam);
    g.rows += 10;
    g.grid.z.count += 8;
    if (views) {
        g.grid.x.count += 4;
        g.grid.y = g.grid.x;
        g.grid.y.step *= sense; // a mirrored volume turns the other way
        // The axis may be half a voxel away, and columns no square.
        const double off = 0.5 * random_between(0, 1);
        g.grid.y.count += static_cast<unsigned>(random_between(0, 2));
        g.grid.x.from = -(0.5 * (g.grid.x.count - 1) + off) * g.grid.x.step;
        g.grid.y.from = -(0.5 * (g.grid.x.count - 1) + off) * g.grid.y.step;
    }
    Arrangement same;
    same.source = {uniform(-2, 2), -Arrangement::infinity, uniform(-2, 2)};
    same.detector = {uniform(-1, 1), uniform(20, 60), uniform(-1, 1)};
    if (beam != Beam::parallel)
        same.source.y = beam == Beam::cone ? uniform(-900, -200) : uniform(-90, -70);
    same.detector_angle.z = uniform(-0.3, 0.3);
    const double start = G_PI_4 * random_between(0, 8) + (random_between(0, 1) ? uniform(-1, 1) : 0.0);
    const std::size_t count = views ? views : g.views.size() + 16;
    g.views.clear();
    for (std::size_t i = 0; i < count; i++) {
        Arrangement a = same;
        a.axis_angle.z = start + 2 * G_PI * i / count;
        if (!views) {
            a.axis_angle.z = i % 3 == 0 ? G_PI_4 * random_between(0, 8) : uniform(-7, 7);
            a.detector.z = uniform(-5, 5);
        }
        a.centre_x = 0.5 * g.columns + uniform(-3, 3) * !views;
        a.centre_z = 0.5 * g.rows + uniform(-3, 3) * !views;
        g.views.emplace_back(a, i);
    }
    return g;
}

// f(voxel, ray, weight)
template <class F>
void each_weight(const Geometry &g, F f) {
    const unsigned counts[3] = {g.grid.x.count, g.grid.y.count, g.grid.z.count};
    const double steps[3] = {g.grid.x.step, g.grid.y.step, g.grid.z.step};
    const Vector3 corner = g.grid.at(0, 0, 0);
    const double first[3] = {corner.x, corner.y, corner.z};
    for (std::size_t view = 0; view < g.views.size(); view++) {
        const auto rays = g.views[view].rays();
        for (unsigned row = 0; row < g.rows; row++)
            for (unsigned column = 0; column < g.columns; column++) {
                const Vector3 pixel = rays.pixel(column, row);
                const Vector3 way = rays.is_parallel ? rays.direction : pixel - rays.source;
                const double d[3] = {way.x / steps[0], way.y / steps[1], way.z / steps[2]};
                const double p[3] = {(pixel.x - first[0]) / steps[0], (pixel.y - first[1]) / steps[1],
                                     (pixel.z - first[2]) / steps[2]};
                const double across = std::abs(d[0]), along = std::abs(d[1]);
                const bool is_even = across <= along * 1.0001 && along <= across * 1.0001;
                int a = is_even ? d[0] * d[1] > 0 : along > across;
                if (std::abs(d[2]) > std::abs(d[a]) * 1.0001)
                    a = 2;
                const double length = tomo::length(way) / std::abs(d[a]);
                const int u = a == 0 ? 1 : 0, v = a == 2 ? 1 : 2;
                for (unsigned n = 0; n < counts[a]; n++) {
                    const double t = (n - p[a]) / d[a], at_u = p[u] + t * d[u], at_v = p[v] + t * d[v];
                    for (const double i : {std::floor(at_u), std::floor(at_u) + 1})
                        for (const double j : {std::floor(at_v), std::floor(at_v) + 1}) {
                            if (i < 0 || j < 0 || i >= counts[u] || j >= counts[v])
                                continue;
                            unsigned voxel[3];
                            voxel[a] = n;
                            voxel[u] = static_cast<unsigned>(i);
                            voxel[v] = static_cast<unsigned>(j);
                            f((std::size_t{voxel[2]} * counts[1] + voxel[1]) * counts[0] + voxel[0],
                              (view * g.rows + row) * g.columns + column,
                              length * (1 - std::abs(at_u - i)) * (1 - std::abs(at_v - j)));
                        }
                }
            }
    }
}

// A result that is made part by part, each in an array of its own: the same bytes.
void check_parts(Compute &compute, const Array &whole, unsigned units,
                 const std::function<GeneralProjector::Strips(const GeneralProjector::Part &)> &strips_of,
                 const std::function<void(const GeneralProjector::Part &, Array &)> &make) {
    const auto wanted = values_of(whole);
    std::vector<double> put_together(wanted.size(), 1e30);
    for (unsigned first = 0; first < units;) {
        const auto count = static_cast<unsigned>(random_between(1, std::max(1u, (units - first + 1) / 2)));
        const GeneralProjector::Part part{first, count};
        Array own = compute.allocate(whole.info());
        make(part, own);
        const auto values = values_of(own);
        const auto strips = strips_of(part);
        for (std::uint64_t strip = 0; strip < strips.number; strip++)
            for (std::uint64_t i = 0; i < strips.length; i++) {
                const auto at = strips.first + strip * strips.pitch + i;
                fail_unless(at < wanted.size() && put_together[at] == 1e30, "sample %" G_GUINT64_FORMAT, at);
                put_together[at] = values[at];
            }
        first += count;
    }
    for (std::size_t i = 0; i < wanted.size(); i++)
        fail_unless(put_together[i] == wanted[i], "sample %zu is %.9g; wanted %.9g", i, put_together[i],
                    wanted[i]);
}

} // namespace

static void check_pair(Compute &compute, const Geometry &g, int number, double bound,
                       std::uint64_t memory = G_MAXUINT64) {
    GeneralProjector a(compute, g.views, g.columns, g.rows, g.grid, memory);
    const auto pair = apply(compute, a, 1);
    std::vector<double> forward(pair.forward.size()), back(pair.back.size()), terms(pair.forward.size());
    each_weight(g, [&](std::size_t voxel, std::size_t ray, double weight) {
        forward[ray] += weight * pair.x[voxel];
        terms[ray] += std::abs(weight * pair.x[voxel]);
        back[voxel] += weight * pair.y[ray];
    });
    Array x = compute.allocate(a.volume()), y = compute.allocate(a.projections()),
          ax = compute.allocate(y.info()), ay = compute.allocate(x.info());
    fill_randomly(x);
    fill_randomly(y);
    a.forward(x, ax);
    a.back(y, ay);
    check_parts(
        compute, ax, a.forward_units(), [&](const auto &part) { return a.strips_of_forward(part); },
        [&](const auto &part, Array &own) { a.forward_part(x, part, own); });
    check_parts(
        compute, ay, a.back_units(), [&](const auto &part) { return a.strips_of_back(part); },
        [&](const auto &part, Array &own) { a.back_part(y, part, own); });
    // Voxels have both signs, so integrals may be small by chance; the error of a place is that of the terms.
    const double error = distance(pair.forward, forward) * norm(forward) / norm(terms);
    const double size = norm(pair.forward) * norm(pair.y);
    const double one = product(pair.forward, pair.y), other = product(pair.x, pair.back);
    g_print("%d: <Ax, y> - <x, A*y> is %.2g of |Ax| |y|, forward %.2g, back %.2g away\n", number,
            std::abs(one - other) / size, error, distance(pair.back, back));
    fail_unless(size > 0.0 && std::abs(one - other) <= 2e-7 * size, "%.9g and %.9g", one, other);
    fail_unless(error <= bound, "%g", error);
    fail_unless(distance(pair.back, back) <= 2e-6, "%g", distance(pair.back, back));
}

GST_START_TEST(test_pair) {
    Compute compute(open_device());
    for (const auto beam : {Beam::parallel, Beam::cone, Beam::wide})
        for (int run = 0; run < 12; run++)
            check_pair(compute, random_geometry(beam), int(beam), 1e-7);
}
GST_END_TEST;

// GPUs count places along a column of the detector in float32, to 1e-6 of a voxel where they are 16 to 32
// voxels away.
GST_START_TEST(test_upright_pair) {
    Compute compute(open_device());
    const double bound = compute.device()->prefers_local_memory() ? 1e-6 : 1e-7;
    for (const auto beam : {Beam::parallel, Beam::cone, Beam::wide})
        for (const unsigned views : {0u, 4u, 8u, 12u})
            for (const double sense : {1.0, -1.0})
                check_pair(compute, upright_geometry(beam, views, sense), int(views), bound);
    check_pair(compute, upright_geometry(Beam::cone, 8, 1.0), 8, bound, 0); // one view at a time
    // More slices than a work-group gathers.
    auto high = upright_geometry(Beam::cone, 12, 1.0);
    high.grid.z.count = 70;
    high.grid.z.from = -34.5 * high.grid.z.step;
    check_pair(compute, high, 12, bound);
}
GST_END_TEST;

// More than a launch makes: some slices of all views, or some views of some slices.
GST_START_TEST(test_parts) {
    Compute compute(open_device());
    for (const unsigned views : {90u, 230u}) {
        Geometry g{{}, 31, 7, {{-31.0, 1.0, 63}, {-31.0, 1.0, 63}, {-9.0, 1.0, 19}}};
        for (unsigned i = 0; i < views; i++) {
            Arrangement a;
            a.source.y = -400.0;
            a.axis_angle = {uniform(-0.1, 0.1), 0.0, uniform(-7, 7)};
            a.centre_x = 0.5 * g.columns;
            a.centre_z = 0.5 * g.rows;
            g.views.emplace_back(a, i);
        }
        check_pair(compute, g, int(views), 1e-7);
    }
}
GST_END_TEST;

// Two devices, of which each makes parts as large as it was fast so far.
GST_START_TEST(test_shared) {
    const auto context = Context::create("0");
    ck_assert_uint_ge(context->size(), 2);
    Compute compute(context->device(0));
    double of_helper = 0.0;
    for (int run = 0; run < 9; run++) {
        const auto beam = Beam{run % 3};
        const auto g = run % 2 ? random_geometry(beam) : upright_geometry(beam, run % 4 ? 0u : 12u, 1.0);
        ProjectorHelpers helpers(
            compute, {context->device(0), context->device(1)}, false,
            {[](const Device &, const std::string &why) { fail("%s", why.c_str()); }, {}});
        fail_unless(helpers.count() == 1);
        // As subsets of the views are.
        const auto half = g.views.begin() + (g.views.size() + 1) / 2;
        for (const auto &views : {g.views, std::vector<ViewGeometry>(g.views.begin(), half)}) {
            const auto make = [&](Compute &on) {
                return std::make_unique<GeneralProjector>(on, views, g.columns, g.rows, g.grid);
            };
            const auto alone = make(compute);
            SharedProjector shared(helpers, make);
            fail_unless(shared.helper_bytes() > shared.owner_bytes());
            for (int again = 0; again < 4; again++) {
                Array x = compute.allocate(alone->volume()), y = compute.allocate(alone->projections());
                fill_randomly(x);
                fill_randomly(y);
                Array ax = compute.allocate(y.info()), ay = compute.allocate(x.info()),
                      shared_ax = compute.allocate(y.info()), shared_ay = compute.allocate(x.info());
                alone->forward(x, ax);
                alone->back(y, ay);
                shared.forward(x, shared_ax);
                shared.back(y, shared_ay);
                fail_unless(values_of(ax) == values_of(shared_ax) && values_of(ay) == values_of(shared_ay),
                            "run %d", run);
            }
        }
        const auto shares = helpers.shares();
        fail_unless(shares.size() == 2 && std::abs(shares[0].part + shares[1].part - 1.0) < 1e-9);
        g_print("shares %.3f and %.3f\n", shares[0].part, shares[1].part);
        of_helper += shares[1].part / 9;
    }
    fail_unless(of_helper > 0.05 && of_helper < 0.95);
}
GST_END_TEST;

// An upright axis: the slices of a parallel beam, whose turn has the other sense.
GST_START_TEST(test_parallel_beam) {
    Compute compute(open_device());
    const unsigned columns = 31, slices = 5, width = 29, height = 27;
    const double axis = 14.3;
    ParallelBeam beam{{}, axis, columns};
    Geometry g{
        {}, columns, slices, {{0.5 - axis, 1.0, width}, {0.5 - axis, 1.0, height}, {0.5, 1.0, slices}}};
    for (int i = 0; i < 9; i++) {
        Arrangement a;
        a.axis_angle.z = uniform(-4, 4);
        a.centre_x = axis;
        g.views.emplace_back(a, i);
        beam.angles.push_back(-a.axis_angle.z);
    }
    GeneralProjector general(compute, g.views, columns, slices, g.grid);
    ParallelProjector parallel(compute, beam, {0, 0, width, height, columns});
    const ArrayInfo images(GST_TOMO_FORMAT_FLOAT32, columns, slices, 9);
    Array x = compute.allocate(parallel.volume(slices)), all = compute.allocate(images);
    Array sinograms = compute.allocate(parallel.projections(slices));
    fill_randomly(x);
    general.forward(x, all);
    parallel.forward(x, sinograms);
    const auto one = values_of(all), other = values_of(sinograms);
    std::vector<double> turned(one.size());
    for (unsigned z = 0; z < slices; z++)
        for (unsigned view = 0; view < 9; view++)
            for (unsigned c = 0; c < columns; c++)
                turned[(z * 9 + view) * columns + c] = one[(view * slices + z) * columns + c];
    fail_unless(distance(turned, other) <= 1e-6, "%g", distance(turned, other));

    // A part of the views.
    Array some = compute.allocate(images.with_size(columns, slices, 4));
    general.forward(x, 3, some);
    const std::vector<double> part(one.begin() + 3 * columns * slices, one.begin() + 7 * columns * slices);
    fail_unless(distance(values_of(some), part) == 0.0);
}
GST_END_TEST;

// A geometry in which no ray only grazes the volume. What such a ray measured is divided by its sum of
// weights, a few of float32's roundings, and so any float32 differs from float64.
static Geometry geometry_without_grazing_rays(Beam beam) {
    for (;;) {
        const auto g = random_geometry(beam);
        std::vector<double> sums(g.views.size() * g.columns * g.rows);
        each_weight(g, [&](std::size_t, std::size_t ray, double weight) { sums[ray] += weight; });
        if (std::none_of(sums.begin(), sums.end(), [](double sum) { return sum > 0 && sum < 0.01; }))
            return g;
    }
}

// Iterative methods see one slice and one sinogram.
GST_START_TEST(test_solver) {
    Compute compute(open_device());
    const auto g = geometry_without_grazing_rays(Beam::cone);
    const auto views = static_cast<unsigned>(g.views.size());
    const GeneralProjector whole(compute, g.views, g.columns, g.rows, g.grid);
    SolverSettings settings;
    settings.iterations = 4;
    settings.subsets = 2;
    Solver solver(compute, SolverMethod::additive, settings);
    solver.set_geometry(views, [&](const std::vector<unsigned> &chosen) {
        std::vector<ViewGeometry> own;
        for (const unsigned view : chosen)
            own.push_back(g.views[view]);
        return std::make_unique<GeneralProjector>(compute, own, g.columns, g.rows, g.grid);
    });
    Array b = compute.allocate(whole.projections());
    const auto measured = fill_randomly(b);
    const Array x = solver.run({b}).slices;

    const std::size_t voxels = whole.volume().samples(), rays = whole.projections().samples();
    const std::size_t of_view = rays / views;
    std::vector<double> wanted(voxels);
    for (unsigned iteration = 0; iteration < settings.iterations; iteration++)
        for (const unsigned subset : {0u, 1u}) {
            const auto is_own = [&](std::size_t ray) { return ray / of_view % 2 == subset; };
            std::vector<double> computed(rays), ray_sums(rays), correction(voxels), voxel_sums(voxels);
            each_weight(g, [&](std::size_t voxel, std::size_t ray, double weight) {
                computed[ray] += weight * wanted[voxel];
                ray_sums[ray] += weight;
            });
            each_weight(g, [&](std::size_t voxel, std::size_t ray, double weight) {
                if (!is_own(ray))
                    return;
                voxel_sums[voxel] += weight;
                if (ray_sums[ray] > 0)
                    correction[voxel] += weight * (measured[ray] - computed[ray]) / ray_sums[ray];
            });
            for (std::size_t i = 0; i < voxels; i++)
                if (voxel_sums[i] > 0)
                    wanted[i] += correction[i] / voxel_sums[i];
        }
    fail_unless(distance(values_of(x), wanted) <= 1e-4, "%g", distance(values_of(x), wanted));
}
GST_END_TEST;

GST_START_TEST(test_what_can_not_be) {
    Compute compute(open_device());
    auto g = random_geometry(Beam::cone);
    const auto error = [&](unsigned columns, const VolumeGrid &grid) {
        return error_of([&] { GeneralProjector(compute, g.views, columns, 3, grid); });
    };
    expect_words(error(0, g.grid), {"0 x 3 pixels"});
    expect_words(error_of([&] {
                     GeneralProjector a(compute, g.views, 3, 3, g.grid);
                     Array volume = compute.allocate(a.volume()),
                           behind = compute.allocate({GST_TOMO_FORMAT_FLOAT32, 3, 3});
                     a.forward(volume, static_cast<unsigned>(g.views.size()), behind);
                 }),
                 {"3 x 3 x 0 pixels"});
    auto grid = g.grid;
    grid.y.count = 0;
    expect_words(error(3, grid), {"1 at least"});
    grid.y = {-3000.0, 100.0, 60};
    expect_words(error(3, grid), {"source"});
    Arrangement a;
    a.source.y = -20.0;
    g.views = {ViewGeometry(a)};
    grid = {{-2.0, 1.0, 5}, {-19.0, 1.0, 39}, {0.0, 1.0, 1}};
    expect_words(error(3, grid), {"1 voxels from the volume"});
}
GST_END_TEST;

static Suite *general_projector_suite() {
    Suite *suite = suite_create("general-projector");
    TCase *tc = tcase_create("general-projector");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, test_pair);
    tcase_add_test(tc, test_upright_pair);
    tcase_add_test(tc, test_parts);
    tcase_add_test(tc, test_shared);
    tcase_add_test(tc, test_parallel_beam);
    tcase_add_test(tc, test_solver);
    tcase_add_test(tc, test_what_can_not_be);
    return suite;
}

GST_CHECK_MAIN(general_projector)
