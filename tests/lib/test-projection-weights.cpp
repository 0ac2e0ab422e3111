// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Weights of projections and the geometry table of backprojection, against sums that must come out and
// against discs whose slices are known.
#include "support.hpp"

#include <gst/operators/backproject-plan.hpp>
#include <gst/operators/backproject-rows.hpp>

#include <gst/tomo/geometry/redundant-rays.hpp>
#include <gst/tomo/geometry/turn-views.hpp>
#include <gst/tomo/geometry/view-weights.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

namespace {

using namespace tomo;
using namespace tomotest;

constexpr double pi = 3.14159265358979323846;
constexpr double degree = pi / 180;

std::vector<double> steps(std::size_t n, double step, double start = 0) {
    std::vector<double> angles(n);
    for (std::size_t i = 0; i < n; i++)
        angles[i] = start + i * step;
    return angles;
}

double sum(const std::vector<double> &values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void expect_near(double got, double wanted, double tolerance, const char *what) {
    fail_unless(std::abs(got - wanted) <= tolerance, "%s: %.12g instead of %.12g", what, got, wanted);
}

// Weights of angles that cover half a turn: no warning, and the whole of pi.
std::vector<double> complete(const std::vector<double> &angles) {
    const auto result = projection_weights(angles);
    fail_unless(result.warning.empty(), "unexpected: %s", result.warning.c_str());
    fail_unless_equals_int(result.weights.size(), angles.size());
    expect_near(sum(result.weights), pi, 1e-9, "sum of weights");
    return result.weights;
}

void expect_refused(const std::function<void()> &call, const char *word) {
    try {
        call();
    } catch (const Error &error) {
        fail_unless(std::string(error.what()).find(word) != std::string::npos, "\"%s\" doesn't say \"%s\"",
                    error.what(), word);
        return;
    }
    fail("no error that says \"%s\"", word);
}

GST_START_TEST(test_even_turns) {
    for (const std::size_t n : {1, 2, 3, 7, 180, 799, 3600}) {
        for (const double turn : {pi, 2 * pi}) {
            auto angles = steps(n, uniform(0, 1) < 0.5 ? turn / n : -turn / n, uniform(-10, 10));
            for (auto &angle : angles) // steps change by 4 % at most
                angle += uniform(-0.01, 0.01) * turn / n;
            std::shuffle(angles.begin(), angles.end(), randomness());
            for (const double weight : complete(angles))
                expect_near(weight, pi / n, 1e-12, "weight");
        }
    }
}
GST_END_TEST

// Views that are seen twice share, wherever they are in the list.
GST_START_TEST(test_coinciding_angles) {
    const double start = uniform(-4, 4);
    for (const int range : {180, 200, 240, 300, 360, 500}) {
        const auto weights = complete(steps(range + 1, degree, start)); // both ends included
        for (int i = 0; i <= range; i++) {
            const int first = i % 180; // how often the same view comes
            const int views = (range - first) / 180 + 1;
            expect_near(weights[i], degree / views, 1e-9, "shared weight");
        }
    }
}
GST_END_TEST

// All angles equal, as in a file whose angles were never filled in, or multiples of half a turn, or few
// directions.
GST_START_TEST(test_angles_that_say_nothing) {
    const double start = uniform(-4, 4);
    expect_refused([&] { projection_weights(std::vector<double>(5, start)); },
                   "5 projections look in one direction");
    expect_refused([] { projection_weights({0, 2 * pi, 4 * pi, -6 * pi}); }, "one direction");
    expect_refused([] { projection_weights({0, pi, 2 * pi}); }, "angle-step");
    expect_refused([] { resolve_turn({{"angles", {0, pi, 2 * pi}}, {}, {}}, {}, 0, 3, TurnKind::half); },
                   "set angles");
    expect_refused([&] { projection_weights({start, start + 3 * pi, start - pi}); }, "one direction");
    for (const int directions : {2, 3}) {
        std::vector<double> angles;
        for (int i = 0; i < 60; i++)
            angles.push_back(start + i % directions * 0.3 + i * pi);
        const auto result = projection_weights(angles);
        fail_unless(result.warning.find("All 60 projections look in only " + std::to_string(directions)) !=
                        std::string::npos,
                    "warning: %s", result.warning.c_str());
    }
    // With an encoder's jitter they are no better.
    for (const int half_turns : {-2, 1, 2, 3}) {
        auto angles = steps(90, half_turns * pi, start);
        for (auto &angle : angles)
            angle += uniform(-0.02, 0.02) * degree;
        const auto result = projection_weights(angles);
        fail_unless(result.warning.find("leave out 1") != std::string::npos, "warning: %s",
                    result.warning.c_str());
        fail_unless(sum(result.weights) < degree, "they cover %g degrees", sum(result.weights) / degree);
    }
    // The rest of an interrupted scan, but not several images for each angle.
    for (const double step : {4 * degree, 2 * degree}) {
        auto angles = steps(45, step, start);
        angles.resize(90, step < 3 * degree ? start : 0.0);
        const auto result = projection_weights(angles);
        const auto words =
            std::to_string(step < 3 * degree ? 46 : 45) + " of 90 projections have the same angle";
        fail_unless(result.warning.find(words) != std::string::npos, "warning: %s", result.warning.c_str());
        fail_unless((result.warning.find("leave out") != std::string::npos) == (step < 3 * degree),
                    "warning: %s", result.warning.c_str());
    }
    std::vector<double> repeated;
    for (int i = 0; i < 450; i++)
        repeated.push_back(i / 10 * 4 * degree + start);
    complete(repeated);
    // As few as one or two are what somebody wanted.
    expect_near(complete({start})[0], pi, 1e-12, "weight of one");
    expect_near(complete({start, start + pi / 2})[1], pi / 2, 1e-12, "weight of one of two");
}
GST_END_TEST

// Half the distance to both neighbours, by hand.
GST_START_TEST(test_uneven_angles) {
    const auto weights = complete({40 * degree, 200 * degree, 0, 70 * degree, 110 * degree, 140 * degree});
    const double wanted[] = {25, 20, 30, 35, 35, 35}; // on the circle: 0 20 40 70 110 140 (180)
    for (int i = 0; i < 6; i++)
        expect_near(weights[i], wanted[i] * degree, 1e-9, "uneven weight");
}
GST_END_TEST

GST_START_TEST(test_no_false_wedge) {
    // One view dropped: its neighbours take over.
    auto angles = steps(180, degree, uniform(-4, 4));
    angles.erase(angles.begin() + 77);
    const auto dropped = complete(angles);
    expect_near(dropped[76], 1.5 * degree, 1e-9, "beside the dropped view");
    expect_near(dropped[10], degree, 1e-9, "elsewhere");

    // Each view taken several times with an encoder's jitter.
    for (const int times : {2, 4, 30}) {
        angles.clear();
        for (int i = 0; i < 180; i++)
            for (int k = 0; k < times; k++)
                angles.push_back(i * degree + uniform(-1e-4, 1e-4));
        for (const double weight : complete(angles))
            expect_near(weight, degree / times, 0.02 * degree / times, "repeated view");
    }

    // Ten turns that nearly meet the same angles again, reported within one turn.
    angles.clear();
    for (int i = 0; i < 3600; i++)
        angles.push_back(std::fmod(i * (degree + 3e-5), 2 * pi));
    complete(angles);

    // At random within half of each step.
    angles.clear();
    for (int i = 0; i < 300; i++)
        angles.push_back((i + uniform(0, 0.5)) * pi / 300);
    complete(angles);

    // The golden ratio, which fills the circle evenly whenever it is stopped.
    complete(steps(std::uniform_int_distribution<int>(5, 2000)(randomness()), pi * (std::sqrt(5.0) - 1) / 2));
}
GST_END_TEST

GST_START_TEST(test_missing_wedge) {
    const double start = uniform(-4, 4);
    for (const int range : {1, 40, 120, 170}) {
        auto angles = steps(10 * range, degree / 10, start);
        std::shuffle(angles.begin(), angles.end(), randomness());
        const auto result = projection_weights(angles);
        fail_unless(result.warning.find("1 gap") != std::string::npos, "warning: %s", result.warning.c_str());
        for (const double weight : result.weights)
            expect_near(weight, degree / 10, 1e-9, "weight beside a wedge");
    }
    auto two = steps(30, degree);
    for (int i = 0; i < 50; i++)
        two.push_back((80 + i) * degree);
    const auto result = projection_weights(two);
    fail_unless(result.warning.find("100 of 180 degrees (2 gaps") != std::string::npos, "warning: %s",
                result.warning.c_str());
    expect_near(sum(result.weights), 80 * degree, 1e-9, "sum beside two wedges");

    const auto pair = projection_weights({0, 0.1});
    fail_if(pair.warning.empty());
    expect_near(pair.weights[0], 0.1, 1e-12, "one of two");
}
GST_END_TEST

// Modulo a full turn, as of a cone beam: half a turn and its other half are two things.
GST_START_TEST(test_full_turns) {
    const auto n = random_between(10, 300);
    const auto weights = [](const std::vector<double> &angles) {
        return projection_weights(angles, 2 * pi).weights;
    };
    for (const double weight : weights(steps(n, -2 * pi / n, uniform(-9, 9))))
        expect_near(weight, 2 * pi / n, 1e-12, "weight of a full turn");
    for (const double weight : weights(steps(2 * n, 2 * pi / n, 0.3)))
        expect_near(weight, pi / n, 1e-12, "weight of one of two turns");
    const auto part = projection_weights(steps(n, 4.0 / n), 2 * pi);
    expect_near(sum(part.weights), 4.0, 1e-9, "a part of a turn");
    fail_unless(part.warning.find("of 360 degrees") != std::string::npos, "%s", part.warning.c_str());

    // In a reconstruction, a part of a turn is raised to a whole one.
    const auto turn = resolve_turn({{"angles", steps(n, 4.0 / n)}, {}, {}}, {}, 0, n, TurnKind::whole);
    expect_near(sum(turn.weights), pi, 1e-9, "sum of weights");
    expect_near(turn.covered, 4.0, 1e-9, "covered");
    fail_unless(turn.warning.empty(), "%s", turn.warning.c_str());
    // More than the angle changes: all count the same, whatever it is.
    const auto moved = resolve_turn({{"angles", {0.5, 0.5, 0.5}}, {}, {}}, {}, 0, 3, TurnKind::unknown);
    expect_near(moved.weights[1], pi / 3, 1e-12, "weight of a projection of another movement");
    const auto given = resolve_turn({{"angles", {0.5}}, -3.0, {}}, {}, 0, n, TurnKind::whole);
    expect_near(given.weights[1], 3.0 / n, 1e-12, "weight by the overall angle");
    expect_near(given.views.angles[1], 0.5 - 3.0 / n, 1e-12, "angle by the overall angle");
}
GST_END_TEST;

// Both measurements of a ray of a fan beam together count what all rays of a turn count.
GST_START_TEST(test_redundant_rays) {
    const Fan fan{32.0, 150.0, 64};
    const double covered = uniform(pi + 2 * fan.angle_at(64.0), 6.0);
    const std::size_t views = 2000;
    const RedundantRays rays(RedundantRays::Mode::short_scan, fan,
                             steps(views, covered / views, uniform(-9, 9)));
    expect_near(rays.covered(), covered, 1e-9, "covered");
    fail_unless(rays.warning().empty(), "%s", rays.warning().c_str());
    for (int run = 0; run < 300; run++) {
        const auto column = static_cast<unsigned>(random_between(0, 63));
        const auto view = random_between(0, views - 1);
        const double here = (static_cast<double>(view) + 0.5) * covered / views;
        const double back = here + pi + 2 * fan.angle_at(column + 0.5);
        double total = rays.weights(view)[column];
        for (const double turned : {back, back - 2 * pi})
            if (turned > 0 && turned < covered)
                total += rays.weights(static_cast<std::size_t>(turned * views / covered))[63 - column];
        expect_near(total, covered / pi, 0.01, "both measurements");
    }
}
GST_END_TEST;

GST_START_TEST(test_refused_angles) {
    expect_refused([] { projection_weights({}); }, "at least one");
    expect_refused([] { projection_weights({0, std::numeric_limits<double>::quiet_NaN()}); }, "projection 1");
    expect_refused([] { projection_weights({-std::numeric_limits<double>::infinity()}); }, "projection 0");
    expect_refused([] { backproject_rows({0, 1}, {1}, 0, {0, 0, 1, 1, 1}); }, "2 projections");
    expect_refused([] { backproject_rows({0}, {1}, 0, {1u << 31, 0, 1, 1, 1}); }, "too far");
    expect_refused([] { backproject_rows({0}, {1}, std::nan(""), {0, 0, 1, 1, 1}); }, "axis");
}
GST_END_TEST

struct Disc {
    double x, y, radius, value; // about the axis
};

// The slice of a disc by its exact line integrals, the ramp filter sampled in space (Kak and Slaney,
// Principles of Computerized Tomographic Imaging, equation 3.61) and the table's fixed point positions.
void expect_disc(double range, std::size_t n, double start) {
    constexpr int width = 192;
    const double axis = width / 2 + uniform(-4, 4);
    const Disc disc{uniform(-20, 20), uniform(-20, 20), 40, uniform(0.5, 2)};
    const auto angles = steps(n, range / n, start);
    const auto rows = backproject_rows(angles, complete(angles), axis, {0, 0, width, width, width});

    std::vector<double> slice(width * width), row(width), filtered(width + 2);
    for (std::size_t p = 0; p < n; p++) {
        for (int c = 0; c < width; c++) {
            const double distance =
                c + 0.5 - axis - disc.x * std::cos(angles[p]) - disc.y * std::sin(angles[p]);
            row[c] =
                2 * disc.value * std::sqrt(std::max(0.0, disc.radius * disc.radius - distance * distance));
        }
        for (int c = 0; c < width; c++) {
            double value = row[c] / 4;
            for (int k = 1; k < width; k += 2)
                value -= ((c >= k ? row[c - k] : 0) + (c + k < width ? row[c + k] : 0)) / (pi * pi * k * k);
            filtered[c + 1] = value; // a zero on both sides
        }
        for (int j = 0; j < width; j++)
            for (int i = 0; i < width; i++) {
                const auto u = rows[p].origin + i * rows[p].step_x + j * rows[p].step_y;
                const auto index = u >> 32;
                const double fraction = std::ldexp(static_cast<double>(u & 0xffffffff), -32);
                if (index >= -1 && index < width)
                    slice[j * width + i] += rows[p].weight * (filtered[index + 1] * (1 - fraction) +
                                                              filtered[index + 2] * fraction);
            }
    }

    double inside = 0, outside = 0;
    int inner = 0, outer = 0;
    for (int j = 0; j < width; j++)
        for (int i = 0; i < width; i++) {
            const double x = i + 0.5 - axis, y = j + 0.5 - axis;
            const double from_disc = std::hypot(x - disc.x, y - disc.y);
            if (from_disc < disc.radius - 3) {
                inside += slice[j * width + i];
                inner++;
            } else if (from_disc > disc.radius + 3 && std::hypot(x, y) < width / 2 - 7) {
                outside += slice[j * width + i];
                outer++;
            }
        }
    expect_near(inside / inner, disc.value, 0.005 * disc.value, "mean inside of the disc");
    expect_near(outside / outer, 0, 0.005 * disc.value, "mean outside of the disc");
}

GST_START_TEST(test_disc_180) { expect_disc(pi, 300, uniform(-4, 4)); }
GST_END_TEST
GST_START_TEST(test_disc_200) { expect_disc(200 * degree, 300, uniform(-4, 4)); }
GST_END_TEST
GST_START_TEST(test_disc_240) { expect_disc(240 * degree, 311, uniform(-4, 4)); }
GST_END_TEST
GST_START_TEST(test_disc_360) { expect_disc(2 * pi, 301, uniform(-4, 4)); }
GST_END_TEST

// Fixed point positions of far pixels against the formula in long double.
GST_START_TEST(test_row_positions) {
    for (int turn = 0; turn < 1000; turn++) {
        const double axis = uniform(-3000, 9000), angle = uniform(-10, 10);
        const auto roi_x = static_cast<std::uint32_t>(uniform(0, 9000));
        const auto roi_y = static_cast<std::uint32_t>(uniform(0, 9000));
        const auto row = backproject_rows({angle}, {0.25}, axis, {roi_x, roi_y, 4096, 4096, 4096}).at(0);
        const int i = static_cast<int>(uniform(0, 4096)), j = static_cast<int>(uniform(0, 4096));
        const long double h = axis + (i + roi_x - axis + 0.5L) * std::cos(static_cast<long double>(angle)) +
                              (j + roi_y - axis + 0.5L) * std::sin(static_cast<long double>(angle));
        const auto u = row.origin + i * row.step_x + j * row.step_y;
        expect_near(std::ldexp(static_cast<long double>(u), -32), static_cast<double>(h - 0.5L), 4e-6,
                    "position");
        fail_unless(row.weight == 0.25f);
    }
}
GST_END_TEST

GST_START_TEST(test_plan) {
    const BackprojectDevice cpu{"a processor", true, true, false, 2, 524288, 4096};
    const BackprojectDevice gpu{"a GPU", false, true, true, 132, 49152, 1024};
    for (int turn = 0; turn < 300; turn++) {
        const auto depth = static_cast<std::uint32_t>(std::exp(uniform(0, 5)));
        const auto width = static_cast<std::uint32_t>(std::exp(uniform(0, 9)));
        const auto height = static_cast<std::uint32_t>(std::exp(uniform(0, 9)));
        BackprojectDevice device = uniform(0, 1) < 0.5 ? cpu : gpu;
        device.max_work_group = std::size_t{1} << static_cast<int>(uniform(0, 11));
        device.most_lanes = 1u << static_cast<int>(uniform(0, 5));
        for (const auto mode :
             {BackprojectMode::linear, BackprojectMode::texture, BackprojectMode::nearest}) {
            if (mode == BackprojectMode::texture && device.is_cpu)
                continue;
            const auto precision = mode == BackprojectMode::linear && device.has_tensor_cores &&
                                           device.max_work_group >= 256 && uniform(0, 1) < 0.5
                                       ? Precision::half
                                       : Precision::single;
            const auto plan = plan_backproject(mode, precision, device, depth, width, height);
            fail_unless(plan.local[0] * plan.local[1] * plan.local[2] <= device.max_work_group);
            fail_unless(plan.local_memory <= device.local_memory);
            for (int axis = 0; axis < 3; axis++)
                fail_unless(plan.global[axis] > 0 && plan.global[axis] % plan.local[axis] == 0);
            if (device.is_cpu) {
                fail_unless(plan.slices <= device.most_lanes);
                fail_unless((plan.slices > 1) == (plan.lane_border > 0));
                fail_unless(plan.packed_width(width) >= std::uint64_t{width} + 2 * plan.lane_border);
            }
        }
    }
    expect_refused([&] { plan_backproject(BackprojectMode::texture, Precision::single, cpu, 1, 8, 8); },
                   "a processor");
    expect_refused([&] { plan_backproject(BackprojectMode::linear, Precision::single, gpu, 1, 0, 8); },
                   "0 x 8");
    expect_refused([&] { plan_backproject(BackprojectMode::linear, Precision::half, cpu, 1, 8, 8); },
                   "tensor cores");
    expect_refused([&] { plan_backproject(BackprojectMode::nearest, Precision::half, gpu, 1, 8, 8); },
                   "mode=linear");
    BackprojectDevice small = gpu;
    small.local_memory = 1024;
    expect_refused([&] { plan_backproject(BackprojectMode::linear, Precision::single, small, 4, 8, 8); },
                   "1024");
}
GST_END_TEST

Suite *projection_weights_suite() {
    Suite *suite = suite_create("projection weights");
    TCase *tests = tcase_create("all");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_even_turns);
    tcase_add_test(tests, test_coinciding_angles);
    tcase_add_test(tests, test_angles_that_say_nothing);
    tcase_add_test(tests, test_uneven_angles);
    tcase_add_test(tests, test_no_false_wedge);
    tcase_add_test(tests, test_missing_wedge);
    tcase_add_test(tests, test_full_turns);
    tcase_add_test(tests, test_redundant_rays);
    tcase_add_test(tests, test_refused_angles);
    tcase_add_test(tests, test_disc_180);
    tcase_add_test(tests, test_disc_200);
    tcase_add_test(tests, test_disc_240);
    tcase_add_test(tests, test_disc_360);
    tcase_add_test(tests, test_row_positions);
    tcase_add_test(tests, test_plan);
    return suite;
}

} // namespace

GST_CHECK_MAIN(projection_weights)
