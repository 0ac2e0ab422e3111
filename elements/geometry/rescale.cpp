// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

enum class Interpolation { nearest, linear };

// Output pixel i samples the input at (i + 1/2) / factor in edge coordinates; pixel c spans [c, c + 1).
class Rescale final : public Filter {
  public:
    static constexpr Info info{
        .task = "rescale",
        .klass = "Filter/Effect",
        .blurb =
            "Resamples each plane; output pixel i is the input at (i + 1/2) / factor, where pixel c spans "
            "c to c + 1",
        .details =
            "The value of pixel c sits at c + 1/2; beyond the outermost centres the edge pixels continue. "
            "An output has floor(factor W) columns. So an axis at position a is at a * factor afterwards. "
            "The element does not filter before: bin or blur images before you make them much smaller. "
            "NaN spreads to the pixels that interpolate it.",
        .example = "tomoread path=projection.tif ! tomorescale factor=0.5 ! tomowrite filename=half.tif",
    };

    Property<double> factor{
        this, "factor", 2.0, {1e-3, FLT_MAX}, When::reshapes, "Sets both x-factor and y-factor"};
    Property<double> x_factor{this,
                              "x-factor",
                              2.0,
                              {1e-3, FLT_MAX},
                              When::reshapes,
                              "Output width over input width, rounded down to whole pixels"};
    Property<double> y_factor{this,
                              "y-factor",
                              2.0,
                              {1e-3, FLT_MAX},
                              When::reshapes,
                              "Output height over input height, rounded down to whole pixels"};
    Choice<Interpolation> interpolation{
        this,
        "interpolation",
        Interpolation::linear,
        {{Interpolation::nearest, "nearest", "The pixel that is met"},
         {Interpolation::linear, "linear", "Linear between pixel centres, the edge's value outside of them"}},
        When::reshapes,
        "How the input is sampled"};
    Property<unsigned> width{this,          "width",        Automatic{0},
                             {0, G_MAXINT}, When::reshapes, "Columns, instead of x-factor; 0: from x-factor"};
    Property<unsigned> height{this,          "height",       Automatic{0},
                              {0, G_MAXINT}, When::reshapes, "Rows, instead of y-factor; 0: from y-factor"};

    void property_changed(PropertyBase *property) override {
        if (property == &factor)
            g_object_set(gst(), "x-factor", factor.given(), "y-factor", factor.given(), nullptr);
        Filter::property_changed(property);
    }

    ArrayInfo shape(const ArrayInfo &in) override {
        columns_ = layout("x-factor", x_factor, "width", width, in.width);
        rows_ = layout("y-factor", y_factor, "height", height, in.height);
        const auto out =
            resized(in.with_format(GST_TOMO_FORMAT_FLOAT32), columns_.size, rows_.size, in.depth,
                    text("x-factor=%g y-factor=%g width=%u height=%u of %s", x_factor.value(),
                         y_factor.value(), width.value(), height.value(), in.describe().c_str()));
        column_table_ = table(columns_, in.width);
        row_table_ = table(rows_, in.height);
        kernel("rescale");
        return out;
    }

    void process(const Array &in, Array &out) override {
        launch(kernel("rescale"), WorkSize(out.info()), in, out, BareBuffer{*column_table_},
               BareBuffer{*row_table_}, cl_uint{in.width()}, cl_uint{in.height()});
    }

  protected:
    EventRef scan_event(EventRef event) override { return scan_after(event, input_info(), columns_, rows_); }

  private:
    // As in the kernel.
    struct Position {
        cl_uint first, second;
        cl_float fraction; // weight of the second
    };

    static Layout layout(const char *factor_name, double factor, const char *size_name, unsigned size,
                         unsigned in) {
        if (size)
            return {0.0, static_cast<double>(size) / in, size};
        // The factor may come from a float32, so it stands for all numbers that round to it: 0.7f * 10 is 7.
        const double exact = factor * in, nearest = std::round(exact);
        const double wanted = nearest - exact <= exact * 0x1p-24 ? nearest : std::floor(exact);
        if (wanted < 1.0 || wanted > G_MAXINT)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s=%g makes a %s of %g out of %u; wanted at least 1 and at most %d",
                             factor_name, factor, size_name, wanted, in, G_MAXINT));
        return {0.0, factor, static_cast<unsigned>(wanted)};
    }

    Array table(const Layout &axis, unsigned in) {
        std::vector<Position> positions(axis.size);
        const double last = in - 1.0;
        for (unsigned i = 0; i < axis.size; i++) {
            const double edge = (i + 0.5) / axis.scale;
            const double at =
                std::clamp(interpolation == Interpolation::linear ? edge - 0.5 : std::floor(edge), 0.0, last);
            const double first = std::floor(at);
            // Without weight the second is not touched, so that its NaN stays where it is.
            positions[i] = {static_cast<cl_uint>(first), static_cast<cl_uint>(std::ceil(at)),
                            static_cast<cl_float>(at - first)};
        }
        return upload(positions.data(), positions.size() * sizeof positions[0]);
    }

    Layout columns_{}, rows_{};
    UntilStop<Array> column_table_{this};
    UntilStop<Array> row_table_{this};
};

} // namespace

TOMO_ELEMENT(Rescale)
