// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-candidates.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr const char *file = "axis-spectrum.cl";
constexpr unsigned at_once = 8; // candidates of a work-item, as in the kernel

// Half a turn and its mirror image about a candidate are a whole turn. The spectrum of a whole turn of an
// object within a radius r is nearly empty where the frequency along the angle is above 2 pi r times that
// along the columns; a wrong candidate fills that wedge. Vo, Drakopoulos, Atwood, Reinhard, Opt. Express 22,
// 19078 (2014).
//
// The spectrum of both halves is that of the first half plus a mirror image of it, turned in phase by the
// candidate. So one transform serves all candidates.
class Spectrum final : public CandidateMethod {
  public:
    explicit Spectrum(Compute &compute) : CandidateMethod(compute) {}

    void begin(const ArrayInfo &in, const ViewAngles &views) override {
        const auto table = half_turn(views.angles);
        constexpr unsigned least_views = 8, least_columns = 8;
        if (table.size() < least_views || in.width < least_columns)
            throw UnfitViews(
                text("the spectrum wants half a turn of views at about equal steps, at least %u of at least "
                     "%u columns, and %u columns came with %s: take another method",
                     least_views, least_columns, in.width, views.sentence.c_str()));
        views_ = unsigned(table.size());
        table_ = compute_.upload(table.data(), table.size() * sizeof table[0]);
        plan_transforms(in.width, 2 * views_, 2);
        columns_ = padded_.width;
    }

    void report(EffectiveValues &report) const override { report.add("axis-views", views_); }

  private:
    // The columns that count, with soft edges.
    struct Window {
        double from, to, fade;
    };
    static constexpr std::size_t groups = 8;
    struct Sums {
        std::vector<double> mean;             // for each candidate
        std::vector<double> of_group[groups]; // sums over every eighth frequency along the columns
    };

    AxisFound find_in(const Array &in, const AxisRange &range) override {
        const double width = in.width();
        AxisFound found;
        // Coarse: in the whole field of view, by some of the frequencies along the angle.
        constexpr unsigned enough = 64;
        constexpr double coarse_step = 0.5;
        auto candidates = std::vector<double>();
        for (double axis = range.from; axis <= range.to; axis += coarse_step)
            candidates.push_back(axis);
        transform(in, {0.0, width, 0.1 * width}, width / 2.0);
        const auto coarse = sums(candidates, std::max(1u, views_ / enough)).mean;
        found.curve = {candidates, coarse};
        const auto least = std::min_element(coarse.begin(), coarse.end());
        if (!std::isfinite(*least) || !(*std::max_element(coarse.begin(), coarse.end()) > 0.0))
            return found;
        double axis = candidates[std::size_t(least - coarse.begin())];
        // Fine: in the columns that lie symmetrically about it, until that changes nothing.
        double step = 0.5;
        constexpr double finest = 0.05, settled = 0.005;
        const double first = std::clamp(range.from, 0.5, width - 0.5),
                     last = std::clamp(range.to, first, width - 0.5);
        for (unsigned round = 0; round < 8; round++) {
            const double half = std::min({axis, width - axis});
            transform(in, {axis - half, axis + half, std::max(4.0, half / 4.0)}, half);
            candidates.clear();
            for (unsigned k = 0; k < 2 * at_once; k++)
                candidates.push_back(axis + (k - (at_once - 0.5)) * step);
            const double next = std::clamp(least_place(candidates, sums(candidates, 1).mean), first, last);
            const double change = std::abs(next - axis);
            axis = next;
            if (change < settled && step == finest)
                break;
            if (change < 4.0 * step)
                step = std::max(finest, step / 2.0);
        }
        found.axis = axis;
        found.uncertainty = uncertainty(axis);
        if (!std::isfinite(found.axis))
            found.uncertainty = found.axis;
        return found;
    }

    // Groups of frequencies along the columns have noise of their own: the spread of their slopes at the
    // axis, over the curvature of all.
    double uncertainty(double axis) {
        constexpr double step = 0.25;
        const auto sums = this->sums({axis - step, axis, axis + step}, 1);
        double slope = 0.0, squares = 0.0, bend = 0.0;
        for (const auto &group : sums.of_group) {
            slope += (group[2] - group[0]) / (2.0 * step);
            bend += (group[2] - 2.0 * group[1] + group[0]) / (step * step);
        }
        for (const auto &group : sums.of_group)
            squares += std::pow((group[2] - group[0]) / (2.0 * step) - slope / groups, 2);
        return bend > 0.0 ? std::sqrt(squares * groups / (groups - 1.0)) / bend : HUGE_VAL;
    }

    // The spectrum of the first half, and of the second one up to the phase.
    void transform(const Array &in, const Window &window, double radius) {
        Array spectrum = compute_.allocate(padded_);
        compute_.launch(compute_.kernel("spectrum_views", "", file), WorkSize(padded_), in, spectrum,
                        BareBuffer{table_}, cl_uint{in.width()}, cl_uint{in.height()}, cl_float(window.from),
                        cl_float(window.to), cl_float(window.fade));
        transforms_.run(compute_, FftDirection::Forward, spectrum, spectrum);
        terms_ = compute_.allocate({GST_TOMO_FORMAT_COMPLEX64, 2 * frequencies(), views_});
        compute_.launch(compute_.kernel("spectrum_terms", "", file), WorkSize(frequencies(), views_),
                        std::as_const(spectrum), terms_, cl_uint{columns_});
        // Rows of the wedge at frequency u along the columns begin behind u of these.
        slope_ = 2.0 * G_PI * radius / columns_;
    }

    Sums sums(const std::vector<double> &axes, unsigned stride) {
        const auto candidates = blocks(axes.data(), axes.size(), at_once);
        Array parts =
            compute_.allocate({GST_TOMO_FORMAT_FLOAT32, frequencies(), candidates.number * at_once});
        compute_.launch(compute_.kernel("spectrum_sums", "", file),
                        WorkSize(frequencies(), candidates.number).groups(64), std::as_const(terms_), parts,
                        BareBuffer{candidates.axes}, cl_uint{columns_}, cl_uint{views_}, cl_float(slope_),
                        cl_uint{stride});
        std::size_t terms = 0;
        for (unsigned u = 1; u <= frequencies(); u++)
            if (const unsigned first = first_of_wedge(u); first < views_)
                terms += (views_ - first + stride - 1) / stride;
        const Host<const float> values(std::as_const(parts));
        Sums result;
        for (std::size_t k = 0; k < axes.size(); k++) {
            double of_group[groups] = {}, total = 0.0;
            for (unsigned u = 0; u < frequencies(); u++)
                of_group[u % groups] += values.data()[k * frequencies() + u];
            for (std::size_t g = 0; g < groups; g++) {
                result.of_group[g].push_back(of_group[g]);
                total += of_group[g];
            }
            result.mean.push_back(total / double(std::max<std::size_t>(terms, 1)));
        }
        return result;
    }

    // As in the kernel.
    unsigned first_of_wedge(unsigned u) const { return unsigned(float(u) * float(slope_)) + left_out; }
    // Frequencies along the columns above 0 and below the highest one.
    unsigned frequencies() const { return columns_ / 2 - 1; }

    static constexpr unsigned left_out = 4; // rows of the lowest frequencies, as in the kernel

    unsigned views_ = 0, columns_ = 0;
    Array table_;
    Array terms_;
    double slope_ = 0.0;
};

} // namespace

std::unique_ptr<AxisMethod> axis_by_spectrum(Compute &compute) { return std::make_unique<Spectrum>(compute); }

} // namespace tomo
