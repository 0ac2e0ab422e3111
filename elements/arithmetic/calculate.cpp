// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "users-kernel.hpp"

#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

// The expression of the user becomes a kernel of its own.
class Calculate final : public Filter {
  public:
    static constexpr Info info{
        .task = "calculate",
        .klass = "Filter/Effect",
        .blurb = "Evaluates an expression for every sample",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details = "The expression is OpenCL C and becomes the body of a kernel: operators, `?:` and the "
                   "built-in functions (`log`, `exp`, `fabs`, `clamp`, `isnan` ...) of the OpenCL C "
                   "specification, 6.13. Integers are converted to float32 first. NaN follows IEEE 754. An "
                   "expression that does not compile is an error with the compiler's message.",
        .example =
            "tomoread path=projection.tif ! tomocalculate expression='-log(v)' ! tomowrite "
            "filename=attenuation.tif\n"
            "tomoread path=slice.tif ! tomocalculate dimensions=2 expression='hypot(x - width / 2.0f, y - "
            "height / 2.0f) < 100 ? v : 0' ! tomowrite filename=disc.tif",
    };

    Property<std::string> expression{
        this, "expression", "0.0f", When::reshapes,
        "OpenCL C expression. dimensions=1: v is the value, x the index of the float in the array, "
        "size their number. dimensions=2: x and y are column and row, of width and height, index is "
        "that of the float. Indices are integers. Of complex samples, real and imaginary part count "
        "as floats"};
    Property<unsigned> dimensions{this,   "dimensions",   1,
                                  {1, 2}, When::reshapes, "Indices that the expression uses"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto out = in.is_complex() ? in : in.with_format(GST_TOMO_FORMAT_FLOAT32);
        build(in);
        return out;
    }

    void process(const Array &in, Array &out) override {
        launch(kernel_, {floats_per_row(in.info()), in.height(), in.depth()}, floats(in), out,
               cl_uint{in.depth()});
    }

    void stop() override { kernel_ = {}; }

  private:
    static std::size_t floats_per_row(const ArrayInfo &info) {
        return std::size_t{info.width} * (info.is_complex() ? 2 : 1);
    }

    static Array floats(const Array &array) {
        if (!array.info().is_complex())
            return array;
        return array.as(
            array.info().with_format(GST_TOMO_FORMAT_FLOAT32).with_size(std::uint64_t{2} * array.width(), array.height()));
    }

    void build(const ArrayInfo &in) {
        const auto file = kernel_file("calculate.cl");
        const char *marker = "EXPRESSION";
        std::string source = file;
        const auto formula = expression.value();
        if (formula.find_first_not_of(" \t\n") == std::string::npos)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "expression is empty; v gives the input as it is");
        users::must_not_be_quoted("expression", formula, users::Strings::none);
        // The user's text stands on a line of its own, so that the compiler's message points into it.
        source.replace(source.rfind(marker), std::strlen(marker), "\n#line 1 \"expression\"\n" + formula + "\n");
        input_format("in", in.is_complex() ? GST_TOMO_FORMAT_FLOAT32 : in.format);
        kernel_ = kernel_from_source("expression=\"" + formula + "\"", source, "calculate",
                                      text("-D DIMENSIONS=%u %s", dimensions.value(), input_types().c_str()));
    }

    Kernel kernel_;
};

} // namespace

TOMO_ELEMENT(Calculate)
