// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-method.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/geometry/view-angles.hpp>
#include <gst/tomo/support/number-list.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace tomo;

namespace {

enum class Method { correlation, spectrum, sharpness, overlap };

class CenterOfRotation final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "center-of-rotation",
        .klass = "Filter/Analyzer",
        .blurb =
            "Finds the rotation axis of each sinogram, by mirrored views, by the spectrum, by slices or by the "
            "overlap of half turns, and passes the array on",
        .out = formats::real,
        .details =
            R"(**correlation**. Of views half a turn apart, one is the mirror image of the other: column x of the one is column
2 axis - 1 - x of the other. For every axis in steps of half a pixel the columns that overlap are compared, v = half the variance of their
difference over that of the rows. The axis is where v^(-N) is largest, N the number of columns: the likelihood that they
are the same; a parabola through the least v around gives the parts of pixels. That is right to some hundredths of a pixel
where nothing but noise differs between the views, wherever the axis is, also where views show little more than half of the
object; overlaps of less than W / 32 columns are not considered. Of eight pairs and more, the parts of pixels are found in
the views less the mean of all first ones and that of all second ones, in which stripes are gone, unless little else is left.

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
- with `correlation`: how far apart the axes lie whose likelihood, with every fourth column, is about the largest one.

With an extrapolated pair it is no less than half of what the extrapolation changes. Where a Gaussian of 1, 2, 4 or 8
columns makes the second one less than 0.7 of what it is without, as in rows that are mostly noise, the rows are smoothed for
the last step. There is one warning, for the first axis that is more uncertain than half a pixel.

**overlap** is for scans of a whole turn with the axis near an edge of the detector (Vo, Drakopoulos, Reinhard, Atwood, Opt.
Express 29, 17849 (2021), doi 10.1364/OE.418448). The outermost W / 16 columns (8 to 100 of them) of the second view of each pair,
mirrored, are searched in the first view; the curve is 1 - r, r the correlation coefficient of these columns in up to 64 pairs
together. Both edges are searched, so the result tells on which side the axis lies. The parts of pixels come from all
columns that overlap, as with `correlation`. No axis is found where r is below 0.5 everywhere, as where nothing but air lies at
both edges. Less than 8 pairs are an error.

**spectrum** (Vo, Drakopoulos, Atwood, Reinhard, Opt. Express 22, 19078 (2014), doi 10.1364/OE.22.019078). Half a turn and its mirror
image about an axis make a whole turn. With u cycles per pixel and v cycles per turn, the spectrum of a whole turn of an object
within r of the axis is nearly empty where v > 2 pi r u; a wrong axis fills that wedge. The curve is the mean magnitude at 0 < u < 1/2
in the wedge v >= floor(2 pi r u) + 4, v below the number of views n of half a turn. First every half pixel, in all columns with
edges that fall off by a cosine over W / 10, r = W / 2, and with some of the v; then around the least value, in the columns that lie
symmetrically about it, with edges over a quarter of their half width (which is r), to a twentieth of a pixel, until that changes
nothing. Rows are padded by zeros to a power of two. Half a turn begins behind the widest gap of the angles and is
interpolated linearly at n equal steps; where it is not covered, that is an error. `uncertainty` is the spread of the curve's slopes of
eight interleaved groups of u over the curvature.

**sharpness**: slices for many axes, of which `metric` is least at the right one (Donath, Beckmann, Schreyer, J. Opt. Soc. Am. A
23, 1048 (2006), doi 10.1364/JOSAA.23.001048; `tomomeasuresharpness` has the formulas). Rows are filtered by the ramp and a Gaussian of
1.5 pixels, in rows of W > 256 columns 1.5 sqrt(W / 256), and continued by their edge values. Not all pixels are computed: 5000 points of a
grid and up to 128 views every 4 pixels (2 in a range of up to 512, 1 up to 64, 1/4 up to 10), then up to 512 views every half pixel,
then 10000 points every eighth pixel, and a parabola by least squares through nine of them. The curve is that of the first of these steps. The
object seems to move as the axis does: by least squares over the views at the angles t, s (axis - middle) where s . (cos t, sin t) = 1, which is
(0, 4 / pi) for half a turn from 0 and nothing for a whole one. The points move likewise, as other parts of the object would shift the least
value. In a range above W / 3 the first step goes by `entropy` for each metric. The points lie within 0.9 of the least distance of the
range to an edge for `entropy`; for the others, which want the whole object and air around it in all views, within the distance of the range's
middle to an edge, or within W / 2 in ranges above 10 pixels. Where the object reaches over an edge, only `entropy` serves. `uncertainty` is that
of the parabola, and no less than 0.1: noise and stripes shift the least value of a single sinogram by about that.

The host waits for the result. It is told in edge coordinates by `center`, with `uncertainty` and `pairs`, and by an element
message `tomo-center-of-rotation` (fields `index` of the array, `plane`, `center`, `uncertainty`, `pairs`, `method`, and the curve, which
is least at the axis, as lists `curve-axes` and `curve-values`; with `skip-unfit-views`, `index`, `method` and `failure` where the views
do not serve). The axis is NaN, with a warning, where rows have no structure, and
with `correlation` where a NaN lies in all overlaps; the other methods take NaN for 0. An axis at an end of the range from `from` to `to` is a
warning.

The axis goes on as that of the scan, in front of the array in which it was found, so that a `tomobackproject` behind uses
for each sinogram the axis of that sinogram, unless its `axis-pos` is set; `update-scan=false` leaves the scan as it came.
Of an array of several sinograms it is the mean of theirs, weighted by the inverse square of the uncertainties.)",
        .example =
            "tomoread path=sinograms number=3 ! tomocenterofrotation ! fakesink\n"
            "tomoread path=sinograms number=1 ! tomocenterofrotation method=sharpness from=120 to=140 ! fakesink\n"
            "tomoread path=sinograms ! tomocenterofrotation ! tomorampfilter ! tomobackproject ! "
            "tomowrite filename=slices.h5:/slices",
    };

    Choice<Method> method{
        this,
        "method",
        Method::correlation,
        {{Method::correlation, "correlation", "Mirrored views are alike; for any scan"},
         {Method::spectrum, "spectrum", "Half a turn and its mirror image have no spectrum within a wedge"},
         {Method::sharpness, "sharpness", "The slice has the least `metric`"},
         {Method::overlap, "overlap",
          "The edge of half a turn is found in the other half; for whole turns off axis"}},
        "How the axis is found"};
    Choice<AxisMetric> metric{
        this,
        "metric",
        AxisMetric::entropy,
        {{AxisMetric::entropy, "entropy", "Entropy of the histogram of the slice"},
         {AxisMetric::absolute, "absolute",
          "Mean of the absolute values; the object lies within the field of view"},
         {AxisMetric::negativity, "negativity", "Mean of the values below zero; likewise"}},
        "Measure of the slice that is least at the axis, for `method=sharpness`"};
    Property<double> from{
        this,
        "from",
        Automatic{-1, {{-1, 0}}},
        {-1.0, 1e6},
        "Least axis that is looked for, in edge coordinates; 0 or less: 0, or a quarter of the "
        "columns by `spectrum` and `sharpness`"};
    Property<double> to{
        this,
        "to",
        Automatic{-1, {{-1, 0}}},
        {-1.0, 1e6},
        "Largest axis that is looked for; 0 or less: the number of columns, or three quarters of it "
        "by `spectrum` and `sharpness`"};
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
    Property<bool> skip_unfit_views{
        this, "skip-unfit-views", false, When::reshapes,
        "Where the views do not serve the method, pass all arrays on with a message that says why in the field "
        "`failure`, instead of an error"};
    Result center{this, "center", "Rotation axis of the last plane, in edge coordinates"};
    Result uncertainty{this, "uncertainty", {0.0, G_MAXDOUBLE}, "One sigma of `center`, in pixels"};
    Result pairs{this, "pairs", {0.0, most_pairs}, "Pairs of views half a turn apart that it is from"};

    ArrayInfo shape(const ArrayInfo &in) override {
        forget();
        return in;
    }

    std::string history() const override {
        return update_scan ? "where it finds no axis, that of an earlier array stays the scan's" : "";
    }

    void stop() override {
        forget();
        scan_ = {};
        warned_ = warned_of_angles_ = warned_of_edge_ = false;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        scan_.rows_are_views(input_info());
        forget();
        return event;
    }

    Array apply(const Array &in) override {
        if ((!search_ && unfit_.empty()) || method != chosen_ || metric != measured_ || angle_step != step_)
            start_over(in.info());
        if (!search_)
            return in;
        const AxisRange range = range_in(in.width());
        double sum = 0.0, weights = 0.0;
        const auto all = search_->find(in, range);
        for (unsigned z = 0; z < in.depth(); z++) {
            const auto &found = all[z];
            tell(z, found, range);
            if (std::isfinite(found.axis)) {
                const double sigma = std::clamp(found.uncertainty, 1e-3, double(in.width()));
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
    static constexpr unsigned most_pairs = 64;

    std::unique_ptr<AxisMethod> new_search() {
        switch (method.value()) {
        case Method::spectrum:
            return axis_by_spectrum(*this);
        case Method::sharpness:
            return axis_by_sharpness(*this, metric);
        case Method::overlap:
            return axis_by_overlap(*this);
        default:
            return axis_by_correlation(*this);
        }
    }

    void forget() {
        search_ = {};
        unfit_.clear();
    }

    void start_over(const ArrayInfo &in) {
        step_ = angle_step;
        chosen_ = method;
        measured_ = metric;
        forget();
        try {
            begin_search(in, views_of(in.height));
        } catch (const UnfitViews &e) {
            if (!skip_unfit_views)
                throw;
            unfit_ = e.what();
            post_message(gst_structure_new("tomo-center-of-rotation", "index", G_TYPE_UINT64, frame_index(),
                                           "method", G_TYPE_STRING, method.nick(), "failure", G_TYPE_STRING,
                                           unfit_.c_str(), nullptr));
        }
    }

    void begin_search(const ArrayInfo &in, const ViewAngles &views) {
        auto search = new_search();
        search->begin(in, views);
        search_ = std::move(search);
        EffectiveValues report;
        report.add(views).say(views.sentence);
        search_->report(report);
        report_effective(report);
        if (!views.assumption.empty() && !std::exchange(warned_of_angles_, true))
            warn(views.assumption);
    }

    AxisRange range_in(unsigned width) const {
        AxisRange range = search_->usual_range(width);
        range = {from.chosen().value_or(range.from), to.chosen().value_or(range.to)};
        if (!(range.from < range.to && range.to <= width))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("the axis is looked for from %g to %g, which is no range within %u columns: set from "
                     "below to",
                     range.from, range.to, width));
        return range;
    }

    // Those of half a turn end a step before it, so that both of its ends are extrapolated, by two views
    // each.
    ViewAngles views_of(unsigned rows) const {
        if (rows < 2)
            throw UnfitViews(
                text("a sinogram of %u row came: the axis takes two views, half a turn apart", rows));
        auto views = resolve_angles(angle_step.chosen(), scan_, rows);
        constexpr unsigned least = 4;
        if (views.origin == Origin::assumed && rows < least)
            throw UnfitViews(
                text("%u rows came without angles, which are too few to take them for half a turn: set "
                     "angle-step to the radians between them, %.9g where the last one is half a turn "
                     "after the first",
                     rows, G_PI / (rows - 1)));
        return views;
    }

    void tell(unsigned plane, const AxisFound &found, const AxisRange &range) {
        constexpr double large = 0.5;
        if (std::isnan(found.axis)) {
            warn("the rows have nothing to compare: no axis was found");
        } else if ((found.axis <= range.from + edge || found.axis >= range.to - edge) &&
                   !std::exchange(warned_of_edge_, true)) {
            warn(text("the axis of array %" G_GUINT64_FORMAT
                      " was found at %.2f, at an end of the range from %g "
                      "to %g, so that it may lie beyond: set from and to",
                      frame_index(), found.axis, range.from, range.to));
        } else if (!(found.uncertainty <= large) && !std::exchange(warned_, true)) {
            warn(text("the axis of array %" G_GUINT64_FORMAT " was found at %.2f, but one sigma is %.2g "
                      "pixels%s: set axis-pos behind where it is known, or look for it in "
                      "a row that shows more. Later ones as uncertain are told by messages only",
                      frame_index(), found.axis, found.uncertainty, number_of_pairs(found.pairs).c_str()));
        }
        pairs.report(double(found.pairs));
        uncertainty.report(found.uncertainty);
        center.report(found.axis);
        auto *told = gst_structure_new("tomo-center-of-rotation", "index", G_TYPE_UINT64, frame_index(),
                                       "plane", G_TYPE_UINT, plane, "center", G_TYPE_DOUBLE, found.axis,
                                       "uncertainty", G_TYPE_DOUBLE, found.uncertainty, "pairs", G_TYPE_UINT,
                                       found.pairs, "method", G_TYPE_STRING, method.nick(), nullptr);
        set_list(told, "curve-axes", found.curve.axes);
        set_list(told, "curve-values", found.curve.values);
        post_message(told);
    }

    static std::string number_of_pairs(unsigned pairs) {
        return pairs == 0 ? "" : text(" (%u %s of views)", pairs, pairs == 1 ? "pair" : "pairs");
    }

    static constexpr double edge = 1e-6;

    Scan scan_;
    double step_ = 0.0;                         // that search_ is for
    Method chosen_ = Method::correlation;       // likewise
    AxisMetric measured_ = AxisMetric::entropy; // likewise
    std::unique_ptr<AxisMethod> search_;
    std::string unfit_;   // why the views do not serve it, where they don't
    bool warned_ = false; // of an uncertain one
    bool warned_of_angles_ = false, warned_of_edge_ = false;
};

} // namespace

TOMO_ELEMENT(CenterOfRotation)
