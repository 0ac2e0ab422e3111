// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is taken for the geometry where properties or the scan leave it open.
#include "support.hpp"

#include <gst/tomo/geometry/arrangement.hpp>
#include <gst/tomo/geometry/cone-beam.hpp>
#include <gst/tomo/geometry/parallel-beam.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

#include <cmath>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using namespace tomo;

static bool has(const std::string &sentence, const std::string &words) {
    return sentence.find(words) != std::string::npos;
}

GST_START_TEST(test_axis) {
    const auto columns = static_cast<unsigned>(random_between(3, 4000));
    const auto expect = [&](const Axis &axis, double position, Origin origin) {
        fail_unless(axis.position == position && axis.origin == origin, "%s", axis.sentence().c_str());
        fail_unless((origin == Origin::assumed) == !axis.assumption().empty());
    };
    Scan scan;
    expect(resolve_axis({}, "axis-pos", scan, columns), columns / 2.0, Origin::assumed);
    fail_unless(has(resolve_axis({}, "axis-pos", scan, columns).assumption(), "Set axis-pos"));
    scan.axis_position = 0.3 * columns;
    expect(resolve_axis({}, "axis-pos", scan, columns), 0.3 * columns, Origin::scan);
    // It is found still, when the event has been passed on, until somebody sets another one.
    scan.axis_is_found = true;
    const auto event = scan.to_event();
    expect(resolve_axis({}, "axis-pos", Scan(event.get()), columns), 0.3 * columns, Origin::found);
    Scan changed(event.get());
    changed.axis_is_found = false;
    expect(resolve_axis({}, "axis-pos", Scan(changed.to_event().get()), columns), 0.3 * columns,
           Origin::scan);
    expect(resolve_axis(0.0, "axis-pos", scan, columns), 0.0, Origin::property);

    resolve_axis(double(columns), "axis-pos", scan, columns).check();
    fail_unless(resolve_axis(double(columns), "axis-pos", scan, columns).column() == columns - 1);
    scan.axis_position = columns + 0.5;
    fail_unless(has(error_of([&] { resolve_axis({}, "axis-pos", scan, columns).check(); }), "of the scan"));
    fail_unless(
        has(error_of([&] { resolve_axis(-1.5, "axis-pos", scan, columns).check(1.0); }), "axis-pos=-1.5"));
}
GST_END_TEST;

GST_START_TEST(test_columns_around) {
    const auto columns = static_cast<unsigned>(random_between(3, 4000)),
               edge = static_cast<unsigned>(random_between(1, columns - 1));
    const auto around = columns_around(resolve_axis(edge + 0.4, "a", {}, columns));
    fail_unless(around.first + around.count / 2 == edge && around.count % 2 == 0);
    fail_unless(around.first == 0 || around.first + around.count == columns);
    fail_unless(has(error_of([&] { columns_around(resolve_axis(0.4, "a", {}, columns)); }), "no column"));
}
GST_END_TEST;

// One assumption: the projections of the whole scan are half a turn.
GST_START_TEST(test_angles) {
    const auto number = static_cast<unsigned>(random_between(4, 400));
    const auto expect = [&](const ViewAngles &views, double first, double step, Origin origin) {
        fail_unless(views.angles.size() == number && views.origin == origin, "%s", views.sentence.c_str());
        fail_unless(std::abs(views.angles.front() - first) < 1e-12);
        fail_unless(std::abs(views.even_step().value_or(0.0) - step) < 1e-12, "%s", views.sentence.c_str());
        fail_unless((origin == Origin::assumed) == !views.assumption.empty());
    };
    Scan scan;
    expect(resolve_angles({}, scan, number), 0.0, G_PI / number, Origin::assumed);
    expect(resolve_angles({}, scan, number, 0.5), 0.5, G_PI / number, Origin::assumed);
    fail_if(resolve_angles({}, scan, number).is_part);
    // A part of a scan, of which every third projection came.
    scan.total_projections = 7.0 * number;
    for (unsigned i = 0; i < number; i++)
        scan.projection_numbers.push_back(3.0 * i + number);
    expect(resolve_angles({}, scan, number), G_PI / 7, 3 * G_PI / (7 * number), Origin::assumed);
    fail_unless(resolve_angles({}, scan, number).is_part);
    for (unsigned i = 0; i < number; i++)
        scan.angles.push_back(0.25 - 0.01 * i);
    expect(resolve_angles({}, scan, number), 0.25, -0.01, Origin::scan);
    expect(resolve_angles(0.02, scan, number), 0.0, 0.02, Origin::property);
    fail_unless(has(error_of([&] { resolve_angles({}, scan, number + 1); }), "set angle-step"));
}
GST_END_TEST;

// Weights are those of the whole scan.
GST_START_TEST(test_views) {
    const auto number = static_cast<unsigned>(random_between(10, 400)),
               first = static_cast<unsigned>(random_between(1, number - 3)),
               rows = static_cast<unsigned>(random_between(1, number - first));
    GivenViews given;
    given.number = number;
    given.first = first;
    const auto views = resolve_views(given, {}, rows);
    fail_unless(views.angles.size() == rows && views.weights.size() == rows);
    fail_unless(views.scan.angles.size() == number && std::abs(views.covered - G_PI) < 1e-9);
    for (unsigned i = 0; i < rows; i++) {
        fail_unless(std::abs(views.angles[i] - (first + i) * G_PI / number) < 1e-12);
        fail_unless(std::abs(views.weights[i] - G_PI / number) < 1e-12);
    }
    fail_unless(has(error_of([&] { resolve_views(given, {}, number); }), "num-projections"));
    given.first = G_MAXUINT;
    fail_unless(has(error_of([&] { resolve_views(given, {}, rows); }), "num-projections"));
}
GST_END_TEST;

GST_START_TEST(test_slices) {
    const SliceRegion whole(0, 0, {}, {}, 31), part(5, 7, 3, {}, 31);
    fail_unless(whole.width == 31 && whole.height == 31 && whole.begins_at_corner());
    fail_unless(part.width == 3 && part.height == 31 && !part.begins_at_corner());
    Scan scan;
    scan.region_x = 100.0;
    scan.binning_x = 2.0;
    const auto of_slices =
        scan_of_slices(scan, ArrayInfo(GST_TOMO_FORMAT_FLOAT32, 31, 9).with_domain(GST_TOMO_DOMAIN_SINOGRAM),
                       10.0, 10.0, part);
    // The axis is at 10 columns in x and in y.
    fail_unless(of_slices.region_x == 110.0 && of_slices.binning_x == 2.0);
    fail_unless(of_slices.region_beam == 120.0 + (7.0 - 10.0) * 2.0 && of_slices.binning_beam == 2.0);
    // At 12.5 in the slice: its columns and rows begin 2.5 earlier.
    const auto moved =
        scan_of_slices(scan, ArrayInfo(GST_TOMO_FORMAT_FLOAT32, 31, 9).with_domain(GST_TOMO_DOMAIN_SINOGRAM),
                       10.0, 12.5, part);
    fail_unless(moved.region_x == of_slices.region_x - 5.0 &&
                moved.region_beam == of_slices.region_beam - 5.0);
}
GST_END_TEST;

GST_START_TEST(test_cone_beam) {
    ConeBeam beam{{"x", {}}, {"z", {3.5}}, {"source", {100.0, 200.0}}, {"detector", {50.0}}, {"tilt", {}}};
    const auto view = beam.view(1, 31, 9);
    fail_unless(view.centre_x == 15.5 && view.centre_z == 3.5 && view.tilt == 0.0);
    fail_unless(view.source_distance == 200.0 && view.magnification() == 1.25);
    fail_unless(has(beam.assumption(view), "column 15.5 (assumed) and row 3.5 (property)"));
    fail_unless(has(error_of([&] { beam.view(2, 31, 9); }), "has 2 values, but projection 2"));
    beam.source_distance.check(2);
    beam.centre_z.check(7);
    fail_unless(has(error_of([&] { beam.source_distance.check(3); }), "source has 2 values for 3"));
    beam.detector_distance = {"detector", {-100.0}};
    fail_unless(has(error_of([&] { beam.view(0, 31, 9); }), "behind the source"));
}
GST_END_TEST;

// Rotates two coordinates, from the first towards the second one.
static void turn(double &first, double &second, double angle) {
    const double f = first, s = second;
    first = f * std::cos(angle) - s * std::sin(angle);
    second = f * std::sin(angle) + s * std::cos(angle);
}

static void turn_zyx(Vector3 &p, const Vector3 &angles) {
    turn(p.x, p.y, angles.z);
    turn(p.z, p.x, angles.y);
    turn(p.y, p.z, angles.x);
}

static Arrangement random_arrangement(bool parallel) {
    Arrangement a;
    for (unsigned i = 0; i < part_count; i++)
        part_of(a, Part{static_cast<int>(i)}) = uniform(-0.4, 0.4);
    a.axis_angle.z = uniform(-7, 7);
    a.source = {uniform(-9, 9), parallel ? -Arrangement::infinity : uniform(-900, -400), uniform(-9, 9)};
    a.detector = {uniform(-9, 9), uniform(-50, 300), uniform(-9, 9)};
    a.centre_x = uniform(0, 40);
    a.centre_z = uniform(0, 40);
    return a;
}

// Against the steps one by one: scale, rotations, the ray to the plane of the detector, its coordinates.
GST_START_TEST(test_arrangement) {
    for (int run = 0; run < 200; run++) {
        const auto a = random_arrangement(run % 2 == 0);
        const ViewGeometry view(a);
        const Vector3 point{uniform(-40, 40), uniform(-40, 40), uniform(-40, 40)};
        Vector3 p = (a.is_parallel() ? 1.0 : -a.source.y / (a.detector.y - a.source.y)) * point;
        turn_zyx(p, a.volume_angle);
        turn_zyx(p, a.axis_angle);
        Vector3 ray{0.0, 1.0, 0.0}, from = p;
        double weight = 1.0;
        if (!a.is_parallel()) {
            weight = (a.source.y - a.detector.y) / (a.source.y - p.y);
            ray = p - a.source;
            from = a.source;
        }
        Vector3 normal{0.0, -1.0, 0.0};
        turn_zyx(normal, a.detector_angle);
        Vector3 seen = from + (dot(a.detector - from, normal) / dot(ray, normal)) * ray - a.detector;
        turn(seen.y, seen.z, -a.detector_angle.x);
        turn(seen.z, seen.x, -a.detector_angle.y);
        turn(seen.x, seen.y, -a.detector_angle.z);
        fail_unless(std::abs(seen.y) < 1e-9);
        const double depth = view.depth().at(point);
        fail_unless(std::abs(view.column().at(point) / depth - seen.x - a.centre_x) < 1e-9);
        fail_unless(std::abs(view.row().at(point) / depth - seen.z - a.centre_z) < 1e-9);
        fail_unless(std::abs(view.distance().at(point) * weight - 1.0) < 1e-12);
        fail_unless(view.is_parallel() == a.is_parallel());
    }
}
GST_END_TEST;

// All points of a ray are seen in its pixel, and the detector itself at the depth 1.
GST_START_TEST(test_rays) {
    for (int run = 0; run < 200; run++) {
        const auto a = random_arrangement(run % 2 == 0);
        const ViewGeometry view(a);
        const auto rays = view.rays();
        const double i = uniform(-5, 40), j = uniform(-5, 40);
        const Vector3 pixel = rays.pixel(i, j);
        const Vector3 point = rays.is_parallel ? pixel + uniform(-900, 900) * rays.direction
                                               : rays.source + uniform(0.1, 2) * (pixel - rays.source);
        const double depth = view.depth().at(point);
        fail_unless(std::abs(view.column().at(point) / depth - i - 0.5) < 1e-9);
        fail_unless(std::abs(view.row().at(point) / depth - j - 0.5) < 1e-9);
        fail_unless(std::abs(view.depth().at(pixel) - 1.0) < 1e-12);
        fail_unless(std::abs(length(rays.column) * a.scale() - 1.0) < 1e-12);
        fail_unless(!rays.is_parallel || std::abs(length(rays.direction) - 1.0) < 1e-12);
    }
}
GST_END_TEST;

GST_START_TEST(test_axis_sine) {
    const double tilt = uniform(-1, 1);
    Arrangement a;
    fail_unless(std::abs(ViewGeometry(a).axis_sine() - 1.0) < 1e-12);
    a.axis_angle = {tilt, 0.0, 2.0};
    fail_unless(std::abs(ViewGeometry(a).axis_sine() - std::cos(tilt)) < 1e-12);
    a.axis_angle = {0.0, tilt, 2.0}; // across the beam
    fail_unless(std::abs(ViewGeometry(a).axis_sine() - 1.0) < 1e-12);
    a.axis_angle = {};
    a.source = {0.0, -100.0, 100.0};
    fail_unless(std::abs(ViewGeometry(a).axis_sine() - std::sqrt(0.5)) < 1e-12);
}
GST_END_TEST;

GST_START_TEST(test_impossible_arrangements) {
    Arrangements lists;
    lists.set(Part::center_position_x, {1.0, 2.0, 3.0});
    lists.set(Part::detector_position_z, {7.0});
    lists.check(3);
    fail_unless(has(error_of([&] { lists.check(4); }), "center-position-x has 3 values for 4 projections"));
    fail_unless(has(error_of([&] { lists.at(3); }), "center-position-x has 3 values"));
    fail_unless(lists.at(2).centre_x == 3.0 && lists.at(2).detector.z == 7.0 && lists.at(2).is_parallel());

    const auto refused = [](auto change, const char *words) {
        auto a = random_arrangement(false);
        change(a);
        fail_unless(has(error_of([&] { ViewGeometry(a, 12); }), words), "%s", words);
    };
    refused([](auto &a) { a.source.y = 3.0; }, "source-position-y is 3 for projection 12");
    refused([](auto &a) { a.source.y = 0.0; }, "source-position-y is 0");
    refused([](auto &a) { a.source.y = NAN; }, "source-position-y is nan");
    refused([](auto &a) { a.source.y = INFINITY; }, "source-position-y is inf");
    refused([](auto &a) { a.detector.y = -1000.0; }, "detector-position-y is -1000 for projection 12");
    refused([](auto &a) { a.detector.y = INFINITY; }, "detector-position-y is inf");
    refused([](auto &a) { a.volume_angle.y = NAN; }, "volume-angle-y is nan");
    for (const double source : {-500.0, -Arrangement::infinity})
        refused(
            [source](auto &a) {
                a.source = {0.0, source, 0.0};
                a.detector = {0.0, 100.0, 0.0};
                a.detector_angle = {G_PI / 2, 0.0, 0.0};
            },
            "detector-angle-x, -y and -z");

    Arrangement a;
    a.source.y = -50.0;
    const ViewGeometry view(a);
    view.check_box({-40, -40, -90}, {40, 40, 90}, 5);
    fail_unless(
        has(error_of([&] { view.check_box({-40, -51, 0}, {40, 40, 0}, 5); }), "source of projection 5"));
    ViewGeometry(Arrangement{}).check_box({-40, -1e9, 0}, {40, 40, 0}, 5);
}
GST_END_TEST;

static Suite *geometry_suite() {
    Suite *suite = suite_create("geometry");
    TCase *tc = tcase_create("geometry");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, test_axis);
    tcase_add_test(tc, test_columns_around);
    tcase_add_test(tc, test_angles);
    tcase_add_test(tc, test_views);
    tcase_add_test(tc, test_slices);
    tcase_add_test(tc, test_cone_beam);
    tcase_add_test(tc, test_arrangement);
    tcase_add_test(tc, test_rays);
    tcase_add_test(tc, test_axis_sine);
    tcase_add_test(tc, test_impossible_arrangements);
    return suite;
}

GST_CHECK_MAIN(geometry)
