// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <cmath>

using tomo::When;

namespace {

enum class Interpolation { nearest, linear };

// Output pixel i samples the input at (i + 1/2) / factor in edge coordinates; pixel c spans [c, c + 1).
class Rescale final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "rescale",
        "Filter/Effect",
        "Resamples each plane; output pixel i is the input at (i + 1/2) / factor, where pixel "
        "c spans c to c + 1",
        tomo::formats::real,
        tomo::formats::float32,
        "The value of pixel c sits at c + 1/2; beyond the outermost centres the edge pixels continue. An "
        "output has floor(factor W) columns. So an axis at position a is at a * factor afterwards. The "
        "element does not filter before: bin or blur images before you make them much smaller. NaN spreads "
        "to the pixels that interpolate it.",
        "tomoread path=projection.tif ! tomorescale factor=0.5 ! tomowrite filename=half.tif"};

    tomo::Property<double> factor{this, "factor",        "Sets both x-factor and y-factor",
                                  2.0,  {1e-3, FLT_MAX}, When::reshapes};
    tomo::Property<double> x_factor{
        this, "x-factor",      "Output width over input width, rounded down to whole pixels",
        2.0,  {1e-3, FLT_MAX}, When::reshapes};
    tomo::Property<double> y_factor{
        this, "y-factor",      "Output height over input height, rounded down to whole pixels",
        2.0,  {1e-3, FLT_MAX}, When::reshapes};
    tomo::Choice<Interpolation> interpolation{
        this,
        "interpolation",
        "How the input is sampled",
        Interpolation::linear,
        {{Interpolation::nearest, "nearest", "The pixel that is met"},
         {Interpolation::linear, "linear", "Linear between pixel centres, the edge's value outside of them"}},
        When::reshapes};
    tomo::Property<unsigned> width{this, "width",       "Columns, instead of x-factor; 0: from x-factor",
                                   0,    {0, G_MAXINT}, When::reshapes};
    tomo::Property<unsigned> height{this, "height",      "Rows, instead of y-factor; 0: from y-factor",
                                    0,    {0, G_MAXINT}, When::reshapes};

    void property_changed(tomo::PropertyBase *property) override {
        if (property == &factor)
            g_object_set(gst(), "x-factor", factor.given(), "y-factor", factor.given(), nullptr);
        Filter::property_changed(property);
    }

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        columns_ = layout("x-factor", x_factor, "width", width, in.width);
        rows_ = layout("y-factor", y_factor, "height", height, in.height);
        const auto out =
            resized(in.with_format(GST_TOMO_FORMAT_FLOAT32), columns_.size, rows_.size, in.depth,
                    tomo::text("x-factor=%g y-factor=%g width=%u height=%u of %s", x_factor.value(),
                               y_factor.value(), width.value(), height.value(), in.describe().c_str()));
        column_table_ = table(columns_, in.width);
        row_table_ = table(rows_, in.height);
        kernel("rescale");
        return out;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("rescale"), tomo::WorkSize(out.info()), in, out, tomo::Whole{column_table_},
               tomo::Whole{row_table_}, cl_uint{in.width()}, cl_uint{in.height()});
    }

    void stop() override { column_table_ = row_table_ = {}; }

  protected:
    tomo::EventRef scan_event(tomo::EventRef event) override {
        return tomo::scan_after(event, input_info(), columns_, rows_);
    }

  private:
    // As in the kernel.
    struct Position {
        cl_uint first, second;
        cl_float fraction; // weight of the second
    };

    static tomo::Layout layout(const char *factor_name, double factor, const char *size_name, unsigned size,
                               unsigned in) {
        if (size)
            return {0.0, static_cast<double>(size) / in, size};
        // The factor may come from a float32, so it stands for all numbers that round to it: 0.7f * 10 is 7.
        const double exact = factor * in, nearest = std::round(exact);
        const double wanted = nearest - exact <= exact * 0x1p-24 ? nearest : std::floor(exact);
        if (wanted < 1.0 || wanted > G_MAXINT)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              tomo::text("%s=%g makes a %s of %g out of %u; wanted at least 1 and at most %d",
                                         factor_name, factor, size_name, wanted, in, G_MAXINT));
        return {0.0, factor, static_cast<unsigned>(wanted)};
    }

    tomo::Array table(const tomo::Layout &axis, unsigned in) {
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

    tomo::Layout columns_{}, rows_{};
    tomo::Array column_table_, row_table_;
};

} // namespace

TOMO_ELEMENT(Rescale)
