// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row-choice.hpp"

#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/interpolation.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class CorrectDistortion final : public Filter {
  public:
    static constexpr Info info{
        .task = "correct-distortion",
        .klass = "Filter/Effect",
        .blurb = "Straightens images of a lens that bends straight lines",
        .details =
            R"(Output pixel (i, j), with its centre at d = (i + 1/2, j + 1/2) - c and r = abs(d), is the input at c + d (a_0 +
a_1 r + a_2 r^2 + ...) in edge coordinates, where pixel k spans k to k + 1. `coefficients` are those of the backward model of
Discorpy (N. T. Vo and others, Opt. Express 23, 32859 (2015), doi 10.1364/OE.23.032859), with r in pixels; its centre is
the index of a pixel, and `center` 1/2 more. Binning by b makes a_k b^k of a_k, and divides the centre by b.

Places keep their fraction of a pixel in images of any width. The columns of the output count as detector columns, and the axis of a
scan as one in straight images. Sinograms are no images of the detector: correct before `tomotransposeprojections`. `y`,
`height` and `y-step` choose rows of the output, so that rows beside them can take part; `center` is one of the input.)",
        .example =
            "tomoread path=projections ! tomocorrectdistortion coefficients='<1.0,2e-4,-1e-6>' center='<131.0,40.5>' ! "
            "tomowrite filename=straight.h5:/data",
    };

    Property<std::vector<double>> coefficients{this, "coefficients", When::reshapes,
                                               "a_0, a_1 and so on; none: 1, which changes nothing"};
    Property<std::vector<double>> center{
        this, "center", When::reshapes,
        "Column and row about which the lens bends, in edge coordinates; none: W / 2 and H / 2"};
    AddressingMode addressing_mode{this, Addressing::clamp_to_edge, "Zero; nothing is undefined"};
    InterpolationMode interpolation{this, Interpolation::cubic, Interpolation::cubic};
    RowChoice rows{this};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.domain == GST_TOMO_DOMAIN_SINOGRAM)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("got sinograms (%s), but images of the detector are straightened: put the element "
                     "before tomotransposeprojections",
                     in.describe().c_str()));
        const auto given = center.value();
        if (!given.empty() && given.size() != 2)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("center has %zu numbers; wanted column and row", given.size()));
        const unsigned height = rows.count(in);
        column_ = centre(given.empty() ? in.width / 2.0 : given[0]);
        row_ = centre(given.empty() ? in.height / 2.0 : given[1]);
        auto moved = coefficients.value();
        if (moved.empty())
            moved = {1.0};
        moved.front() -= 1.0;
        const std::vector<float> table(moved.begin(), moved.end());
        table_ = upload(table);
        count_ = static_cast<cl_uint>(table.size());
        straightened();
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, height);
    }

    void process(const Array &in, Array &out) override {
        launch(straightened(), WorkSize(out.info()), in, out, BareBuffer{*table_}, count_, column_.border,
               column_.fraction, row_.border, row_.fraction, static_cast<cl_int>(in.width()),
               static_cast<cl_int>(in.height()), static_cast<cl_int>(rows.y),
               static_cast<cl_int>(rows.y_step));
    }

  protected:
    EventRef scan_event(EventRef event) override {
        return scan_after(event, input_info(), {0.0, 1.0, input_info().width},
                          rows.layout(output_info().height));
    }

  private:
    struct Centre {
        cl_int border = 0;
        cl_float fraction = 0.0f;
    };
    static Centre centre(double place) {
        const double below = std::floor(std::clamp(place, -0x1p29, 0x1p29));
        return {static_cast<cl_int>(below),
                static_cast<cl_float>(std::clamp(place, -0x1p29, 0x1p29) - below)};
    }

    Kernel straightened() {
        return kernel("correct_distortion", addressing_mode.option() + interpolation.option());
    }

    Centre column_, row_;
    cl_uint count_ = 1;
    UntilStop<Array> table_{this}; // of the coefficients, the first one less 1
};

} // namespace

TOMO_ELEMENT(CorrectDistortion)
