// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-pairs.hpp"

#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr const char *file = "center-of-rotation.cl";

class Correlation final : public AxisMethod {
  public:
    explicit Correlation(Compute &compute) : compute_(compute), pairs_(compute) {}

    void begin(const ArrayInfo &sinograms, const ViewAngles &views) override {
        pairs_.begin(sinograms, views, 32);
    }
    void report(EffectiveValues &report) const override { pairs_.report(report); }

    std::vector<AxisFound> find(const Array &in, const AxisRange &range) override {
        const unsigned width = in.width(), sums = 2 * width - 1;
        const auto compared = pairs_.compared();
        const Array views = pairs_.views(in, PairsOnDevice::Nan::stays);
        Array variances =
            compute_.allocate({GST_TOMO_FORMAT_COMPLEX64, sums, unsigned(compared), in.depth()});
        compute_.launch(compute_.kernel("mirror_distance", "", file),
                        WorkSize(sums, compared * in.depth()).groups(64), views, variances, cl_uint{width});
        const Host<const cl_float2> of_sums(variances);
        const Host<const float> rows(views);
        std::vector<AxisFound> result;
        for (unsigned z = 0; z < in.depth(); z++)
            result.push_back(find(of_sums.data() + z * compared * sums,
                                  rows.data() + z * 2 * compared * width, width, range));
        return result;
    }

  private:
    AxisFound find(const cl_float2 *variances, const float *rows, unsigned width,
                   const AxisRange &range) const {
        const auto n = pairs_.count();
        auto found = axis_of(variances, rows, n, width, range);
        if (pairs_.is_extrapolated()) {
            const auto plain =
                axis_of(variances + n * (2 * width - 1), rows + 2 * n * width, 1, width, range);
            found.uncertainty = std::max(found.uncertainty, std::abs(found.axis - plain.axis) / 2.0);
        }
        return found;
    }

    Compute &compute_;
    PairsOnDevice pairs_;
};

} // namespace

void PairsOnDevice::begin(const ArrayInfo &in, const ViewAngles &views, unsigned most) {
    pairs_ = mirrored_pairs(views.angles, most, in.width);
    if (pairs_.pairs.empty())
        throw UnfitViews(
            text("no two of the %u rows are half a turn apart: the nearest miss it by %.4g degrees, "
                 "which is too much to extrapolate. The axis can't be told from them; check the angles: "
                 "%s",
                 in.height, degrees(pairs_.missing), views.sentence.c_str()));
    auto table = pairs_.pairs;
    if (is_extrapolated())
        table.push_back(*pairs_.nearest);
    table_ = compute_.upload(table.data(), table.size() * sizeof table[0]);
}

void PairsOnDevice::report(EffectiveValues &report) const {
    report.add("axis-pairs", unsigned(count()));
    if (is_extrapolated())
        report.add("axis-extrapolated", pairs_.missing / 2.0, "rad");
}

Array PairsOnDevice::views(const Array &in, Nan nan) {
    Array views =
        compute_.allocate({GST_TOMO_FORMAT_FLOAT32, in.width(), unsigned(2 * compared()), in.depth()});
    compute_.launch(compute_.kernel("mix_views", "", file), WorkSize(views.info()), in, views,
                    BareBuffer{table_}, cl_uint{in.width()}, cl_uint{in.height()},
                    cl_int{nan == Nan::is_zero});
    return views;
}

std::unique_ptr<AxisMethod> axis_by_correlation(Compute &compute) {
    return std::make_unique<Correlation>(compute);
}

} // namespace tomo
