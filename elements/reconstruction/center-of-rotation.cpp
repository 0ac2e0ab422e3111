// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-search.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/view-angles.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace tomo;

namespace {

class CenterOfRotation final : public Filter {
  public:
    static constexpr Info info{
        .task = "center-of-rotation",
        .klass = "Filter/Analyzer",
        .blurb = "Finds the rotation axis of each sinogram from views that are half a turn apart, and passes "
                 "the array on",
        .out = formats::real,
        .details =
            R"(Of views half a turn apart, one is the mirror image of the other: column x of the one is column 2 axis - 1 - x of the
other. For every axis in steps of half a pixel the columns that overlap are compared, v = half the variance of their
difference over that of the rows. The axis is where v^(-N) is largest, N the number of columns: the likelihood that they
are the same; a parabola through the least v around gives the parts of pixels. That is right to some hundredths of a pixel
where nothing but noise differs between the views, wherever the axis is, also where views show little more than half of the
object; overlaps of less than W / 32 columns are not considered.

Which views are half a turn apart follows from the angles. Where none lies exactly there, it is interpolated linearly
between its neighbours, if these are no more than two steps apart; up to 32 pairs from all over the scan count together. A
scan that ends before half a turn, as one of 0 to 179.5 degrees, has one pair: both views are extrapolated by half of what
is missing. That goes as long as no more than four steps are missing, or than moves an edge at W / 2 from the axis by 8
pixels; beyond it is an error.

Without angles the projections of the scan are taken for half a turn all together, as `tomobackproject` does,
so that the last row is a step before half a turn; a warning says so. Of less than four rows that is an error: two
views half a turn apart are `angle-step=3.14159265`.

`uncertainty` is one sigma in pixels, the largest one of three:
- what the pairs say one by one: 1.48 times the median distance to the median, over the root of their number;
- what the difference e(x) at the axis says: the root of the sum of s(x) s(x') over columns x and x' within 16 of each other,
  over the sum of g^2, with s = e g summed over all pairs and g the rows' gradient. So stripes, which are the same in all
  pairs, count as well;
- how far apart the axes lie whose likelihood, with every fourth column, is about the largest one.

With an extrapolated pair it is no less than half of what the extrapolation changes. Where a Gaussian of 1, 2, 4 or 8
columns makes the second one less than 0.7 of what it is without, as in rows that are mostly noise, the rows are smoothed for
the last step. There is one warning, for the first axis that is more uncertain than half a pixel.

The host waits for the result. It is told in edge coordinates by `center`, with `uncertainty` and `pairs`, and by an element
message `tomo-center-of-rotation` (fields `index` of the array, `plane`, `center`, `uncertainty`, `pairs`). It is NaN, with a
warning, where rows have no structure or a NaN in all overlaps.

The axis goes on as that of the scan, in front of the array in which it was found, so that a `tomobackproject` behind uses
for each sinogram the axis of that sinogram, unless its `axis-pos` is set; `update-scan=false` leaves the scan as it came.
Of an array of several sinograms it is the mean of theirs, weighted by the inverse square of the uncertainties.)",
        .example = "tomoread path=sinograms number=3 ! tomocenterofrotation ! fakesink\n"
                   "tomoread path=sinograms ! tomocenterofrotation ! tomorampfilter ! tomobackproject ! "
                   "tomowrite filename=slices.h5:/slices",
    };

    Property<double> angle_step{
        this,
        "angle-step",
        Automatic{0},
        {0.0, 180.0},
        When::reshapes,
        "Radians between rows; 0: the scan's angles, and where there are none pi over the number of "
        "projections"};
    Property<bool> update_scan{this, "update-scan", true,
                               "Make the axis that was found that of the scan, for all behind"};
    Result center{this, "center", "Rotation axis of the last plane, in edge coordinates"};
    Result uncertainty{this, "uncertainty", {0.0, G_MAXDOUBLE}, "One sigma of `center`, in pixels"};
    Result pairs{this, "pairs", {0.0, most_pairs}, "Pairs of views half a turn apart that it is from"};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.height < 2)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("a sinogram of %u row came: the axis takes two views, half a turn apart", in.height));
        table_ = {};
        return in;
    }

    void stop() override {
        table_ = {};
        scan_ = {};
        warned_ = warned_of_angles_ = false;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        scan_.rows_are_views(input_info());
        table_ = {};
        return event;
    }

    Array apply(const Array &in) override {
        if (!table_ || angle_step != step_)
            find_pairs(in.info());
        const unsigned width = in.width(), sums = 2 * width - 1;
        const auto compared = pairs_.pairs.size() + (pairs_.missing > 0.0 ? 1 : 0);
        Array views = allocate({GST_TOMO_FORMAT_FLOAT32, width, unsigned(2 * compared), in.depth()});
        launch(kernel("mix_views"), WorkSize(views.info()), in, views, BareBuffer{table_}, cl_uint{width},
               cl_uint{in.height()});
        Array variances = allocate({GST_TOMO_FORMAT_COMPLEX64, sums, unsigned(compared), in.depth()});
        launch(kernel("mirror_distance"), WorkSize(sums, compared * in.depth()).groups(64),
               std::as_const(views), variances, cl_uint{width});
        const Host<const cl_float2> of_sums(variances);
        const Host<const float> rows(views);
        double sum = 0.0, weights = 0.0;
        for (unsigned z = 0; z < in.depth(); z++) {
            const auto found =
                find(of_sums.data() + z * compared * sums, rows.data() + z * 2 * compared * width, width);
            tell(z, found);
            if (std::isfinite(found.axis)) {
                const double sigma = std::clamp(found.uncertainty, 1e-3, double(width));
                sum += found.axis / (sigma * sigma);
                weights += 1.0 / (sigma * sigma);
            }
        }
        if (update_scan && weights > 0.0) {
            scan_.axis_position = sum / weights;
            scan_.axis_is_found = true;
            send_scan(scan_.to_event());
        }
        return in;
    }

  private:
    static constexpr unsigned most_pairs = 32;

    void find_pairs(const ArrayInfo &in) {
        step_ = angle_step;
        const auto views = views_of(in.height);
        pairs_ = mirrored_pairs(views.angles, most_pairs, in.width);
        if (pairs_.pairs.empty())
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("no two of the %u rows are half a turn apart: the nearest miss it by %.4g degrees, "
                     "which is too much to extrapolate. The axis can't be told from them; check the angles: "
                     "%s",
                     in.height, pairs_.missing * 180.0 / G_PI, views.sentence.c_str()));
        auto table = pairs_.pairs;
        if (pairs_.missing > 0.0)
            table.push_back(*pairs_.nearest);
        table_ = upload(table.data(), table.size() * sizeof table[0]);
        EffectiveValues report;
        report.add("axis-pairs", unsigned(pairs_.pairs.size())).add(views).say(views.sentence);
        if (pairs_.missing > 0.0)
            report.add("axis-extrapolated", pairs_.missing / 2.0, "rad");
        report_effective(report);
        if (!views.assumption.empty() && !std::exchange(warned_of_angles_, true))
            warn(views.assumption);
    }

    // Those of half a turn end a step before it, so that both of its ends are extrapolated, by two views
    // each.
    ViewAngles views_of(unsigned rows) const {
        auto views = resolve_angles(angle_step.chosen(), scan_, rows);
        constexpr unsigned least = 4;
        if (views.origin == Origin::assumed && rows < least)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("%u rows came without angles, which are too few to take them for half a turn: set "
                     "angle-step to the radians between them, %.9g where the last one is half a turn "
                     "after the first",
                     rows, G_PI / (rows - 1)));
        return views;
    }

    AxisFound find(const cl_float2 *variances, const float *rows, unsigned width) const {
        const auto n = pairs_.pairs.size();
        auto found = axis_of(variances, rows, n, width);
        if (pairs_.missing > 0.0) {
            const auto plain = axis_of(variances + n * (2 * width - 1), rows + 2 * n * width, 1, width);
            found.uncertainty = std::max(found.uncertainty, std::abs(found.axis - plain.axis) / 2.0);
        }
        return found;
    }

    void tell(unsigned plane, const AxisFound &found) {
        constexpr double large = 0.5;
        if (std::isnan(found.axis)) {
            warn("the rows have nothing to compare: no axis was found");
        } else if (!(found.uncertainty <= large) && !std::exchange(warned_, true)) {
            warn(text("the axis of array %" G_GUINT64_FORMAT " was found at %.2f, but one sigma is %.2g "
                      "pixels (%zu %s of views): set axis-pos behind where it is known, or look for it in "
                      "a row that shows more. Later ones as uncertain are told by messages only",
                      frame_index(), found.axis, found.uncertainty, pairs_.pairs.size(),
                      pairs_.pairs.size() == 1 ? "pair" : "pairs"));
        }
        pairs.report(double(pairs_.pairs.size()));
        uncertainty.report(found.uncertainty);
        center.report(found.axis);
        post_message(gst_structure_new("tomo-center-of-rotation", "index", G_TYPE_UINT64, frame_index(),
                                       "plane", G_TYPE_UINT, plane, "center", G_TYPE_DOUBLE, found.axis,
                                       "uncertainty", G_TYPE_DOUBLE, found.uncertainty, "pairs", G_TYPE_UINT,
                                       unsigned(pairs_.pairs.size()), nullptr));
    }

    Scan scan_;
    double step_ = 0.0; // that pairs_ is for
    MirroredPairs pairs_;
    Array table_;         // of their views
    bool warned_ = false; // of an uncertain one
    bool warned_of_angles_ = false;
};

} // namespace

TOMO_ELEMENT(CenterOfRotation)
