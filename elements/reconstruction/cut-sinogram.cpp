// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/rotation-axis.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>
#include <utility>

using namespace tomo;

namespace {

class CutSinogram final : public Filter {
  public:
    static constexpr Info info{
        .task = "cut-sinogram",
        .klass = "Filter/Effect",
        .blurb = "Keeps the columns that lie symmetrically around the rotation axis",
        .in = formats::all,
        .out = formats::all,
        .details =
            "With the axis rounded to the edge c between two columns, c and W - c columns lie on either "
            "side of it; the smaller of both numbers stays on each side, so that the axis is in the "
            "middle, except for the rounding. Where the scan's axis is found anew for each sinogram, as "
            "by `tomocenterofrotation`, they are cut at the first one, so that all have one size, until "
            "it moves by more than a pixel.",
        .example = "tomoread path=sinogram.tif ! tomocutsinogram center-of-rotation=131 ! tomowrite "
                   "filename=symmetric.tif",
    };

    RotationAxis axis{this};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto middle = axis.for_columns(in.width);
        const auto columns = columns_around(middle);
        first_ = columns.first;
        cut_at_ = middle.position;
        return in.with_size(columns.count, in.height);
    }

    void stop() override {
        axis.forget();
        has_begun_ = false;
    }

  protected:
    Array apply(const Array &in) override {
        if (!std::exchange(has_begun_, true)) {
            axis.report(in.width());
            report_effective(
                EffectiveValues().add("first-column", first_).add("columns", output_info().width));
        }
        Array out = allocate(output_info());
        const std::size_t sample = in.info().sample_size(), row = in.width() * sample,
                          kept = out.width() * sample;
        copy_rows(in, {first_ * sample, row}, out, {0, kept}, kept, std::size_t{in.height()} * in.depth());
        return out;
    }

    // It comes behind the caps, and what it tells may change them.
    EventRef scan_event(EventRef event) override {
        if (axis.update_from(event.get()) &&
            (!has_begun_ || std::abs(axis.for_columns(input_info().width).position - cut_at_) > 1.0))
            begin(input_info());
        return scan_after(event, input_info(), {double(first_), 1.0, output_info().width},
                          {0.0, 1.0, input_info().height});
    }

  private:
    unsigned first_ = 0;
    double cut_at_ = 0.0;
    bool has_begun_ = false;
};

} // namespace

TOMO_ELEMENT(CutSinogram)
