// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which views are taken four at a time in backprojection, and the same volume whether they are or not.
#include <gst/operators/general-backprojector.hpp>

#include <array>
#include <cmath>
#include <numbers>

#include "linear-algebra.hpp" // last: it defines macros named like members of the standard library

using namespace tomotest;
using namespace tomo;

namespace {

constexpr double turn = 2.0 * std::numbers::pi;

// What a view sees of voxel (l, m, n) of a volume of this side, at an angle about its middle: a random
// arrangement, which stays.
struct Scene {
    std::array<std::array<double, 4>, 4> forms{};
    unsigned side;

    explicit Scene(unsigned side) : side(side) {
        for (auto &form : forms)
            for (double &factor : form)
                factor = uniform(-1, 1);
    }
    VoxelView at(double angle) const {
        const double c = std::cos(angle), s = std::sin(angle), middle = 0.5 * (side - 1.0);
        const auto turned = [&](const std::array<double, 4> &form) {
            const double m = c * form[1] - s * form[2], n = s * form[1] + c * form[2];
            return VoxelView::Form{{form[0], m, n, form[3] - middle * (m + n)}};
        };
        return {turned(forms[0]), turned(forms[1]), turned(forms[2]), turned(forms[3]), 0.7, {}};
    }
};

} // namespace

GST_START_TEST(test_which_views) {
    for (const unsigned number : {4u, 12u, 720u})
        for (const double sense : {1.0, -1.0}) {
            const unsigned side = static_cast<unsigned>(random_between(1, 2000));
            const Scene scene(side);
            const double start = uniform(-4, 4);
            const auto add = [&](ViewQuads &quads, unsigned view, double off = 0.0) {
                return quads.add(scene.at(start + sense * turn * view / number + off));
            };
            ViewQuads quads(number, side, 100, 1000);
            for (unsigned view = 0; view < number; view++) {
                fail_if(quads.is_complete());
                fail_unless(add(quads, view), "%u of %u", view, number);
                // The volume, seen a quarter on, is turned by a quarter against the views.
                const unsigned quarter = view / (number / 4);
                fail_unless(quads.quad_of(view) == view % (number / 4));
                fail_unless(quads.part_of(view) == (sense < 0 ? (4 - quarter) % 4 : quarter));
            }
            fail_unless(quads.is_complete());
            fail_if(add(quads, 0)); // more than came
            // A step off, at the second view or in the second quarter, or another weight.
            ViewQuads uneven(number, side, 100, 1000);
            fail_unless(add(uneven, 0));
            fail_if(add(uneven, 1, 1e-3));
            ViewQuads late(number, side, 100, 1000);
            for (unsigned view = 0; view < number / 4 + 1; view++)
                fail_unless(add(late, view));
            if (number > 4) {
                fail_if(add(late, number / 4 + 1, 1e-6));
                auto view = scene.at(start + sense * turn * (number / 4 + 1) / number);
                view.weight *= 1.001;
                fail_if(late.add(view));
                fail_unless(late.views().size() == number / 4 + 1);
            }
        }
    for (const unsigned number : {0u, 1u, 3u, 6u, 721u})
        fail_if(ViewQuads::is_possible(number));
}
GST_END_TEST;

GST_START_TEST(test_squares) {
    struct Case {
        VolumeGrid::Axis x, y;
        unsigned side, from_x, from_y; // side 0: none
    };
    const Case cases[] = {
        {{-3.5, 1, 8}, {-3.5, 1, 8}, 8, 0, 0},     {{-4, 1, 8}, {-4, 1, 8}, 9, 0, 0},
        {{-3, 1, 8}, {-4, 1, 8}, 9, 1, 0},         {{3.5, -1, 8}, {-2.5, 1, 7}, 8, 0, 1},
        {{-0.6, 0.3, 5}, {-0.6, 0.3, 4}, 5, 0, 0}, {{0, 1, 1}, {0, -1, 1}, 1, 0, 0},
        {{-4, 1, 8}, {-3.5, 1, 8}, 0, 0, 0},       {{-3.4, 1, 8}, {-3.5, 1, 8}, 0, 0, 0},
        {{-3.5, 1, 8}, {-3.5, 1.1, 8}, 0, 0, 0},   {{-3.5, 1, 8}, {-1.5, 1, 4}, 0, 0, 0},
        {{50, 1, 8}, {50, 1, 8}, 0, 0, 0},
    };
    for (const auto &c : cases) {
        const VolumeGrid grid{c.x, c.y, {0, 1, 3}};
        const auto square = SquareOfColumns::around(grid);
        fail_unless(square.side == c.side && square.x == c.from_x && square.y == c.from_y, "%u from (%u, %u)",
                    square.side, square.x, square.y);
        if (c.side == 0)
            continue;
        const auto whole = square.grid(grid);
        fail_unless(whole.x.count == c.side && whole.y.count == c.side && whole.z.count == 3);
        fail_unless(std::abs(whole.x.at(c.from_x) - c.x.from) < 1e-12);
        fail_unless(std::abs(whole.x.at(0.5 * (c.side - 1.0))) < 1e-12); // the axis in the middle
        fail_unless(std::abs(whole.y.at(0.5 * (c.side - 1.0))) < 1e-12);
    }
}
GST_END_TEST;

// All of them, or some of them, with the number that comes and without.
GST_START_TEST(test_the_same_volume) {
    Compute compute(open_device());
    const unsigned columns = 23, rows = 27, side = static_cast<unsigned>(random_between(5, 20)), views = 12;
    const double half = 0.5 * (side - 1.0);
    const VolumeGrid grid{{-half, 1.0, side}, {half, -1.0, side}, {-9.5, 1.0, 20}};
    std::vector<Array> projections;
    std::vector<WeightedView> geometry;
    for (unsigned view = 0; view < views; view++) {
        projections.push_back(compute.allocate({GST_TOMO_FORMAT_FLOAT32, columns, rows}));
        fill_randomly(projections.back());
        Arrangement a;
        a.axis_angle = {0.2, 0.1, 0.3 - turn * view / views};
        a.source.y = -200.0;
        a.detector_angle = {0.05, 0.1, 0.03};
        a.centre_x = 11.2;
        a.centre_z = 13.9;
        geometry.push_back({ViewGeometry(a, view), 0.5});
    }
    for (const FloatSize sums : {FloatSize::single, FloatSize::half, FloatSize::twofold})
        for (const unsigned some : {views, 7u, 2u}) {
            GeneralBackprojection settings;
            settings.sums = sums;
            GeneralBackprojector operation(compute, settings);
            std::vector<std::vector<double>> results;
            for (const unsigned promised : {views, 0u, 8u}) {
                operation.begin(projections[0].info(), promised, {grid, 0, 20, false, rows});
                for (unsigned view = 0; view < some; view++)
                    operation.add(projections[view], {geometry[view]});
                Array out = compute.allocate({GST_TOMO_FORMAT_FLOAT32, side, side, 20});
                operation.copy_slices(0, out, {});
                results.push_back(values_of(out));
            }
            const double bound = sums == FloatSize::half ? 1e-3 : 2e-6;
            for (const auto &result : results) {
                fail_unless(norm(result) > 0.0);
                fail_unless(distance(result, results[1]) <= bound, "%g", distance(result, results[1]));
            }
        }
}
GST_END_TEST;

static Suite *general_backprojector_suite() {
    Suite *suite = suite_create("general-backprojector");
    TCase *tc = tcase_create("general-backprojector");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, test_which_views);
    tcase_add_test(tc, test_squares);
    tcase_add_test(tc, test_the_same_volume);
    return suite;
}

GST_CHECK_MAIN(general_backprojector)
