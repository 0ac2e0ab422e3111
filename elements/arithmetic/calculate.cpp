// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "users-kernel.hpp"

#include <gst/tomo/bases/filter.hpp>

namespace {

// The expression of the user becomes a kernel of its own.
class Calculate final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "calculate",
        "Filter/Effect",
        "Evaluates an expression for every sample",
        tomo::formats::all,
        tomo::formats::float32 | tomo::formats::complex64,
        "The expression is OpenCL C and becomes the body of a kernel: operators, `?:` and the built-in "
        "functions (`log`, `exp`, `fabs`, `clamp`, `isnan` ...) of the OpenCL C specification, 6.13. "
        "Integers are converted to float32 first. NaN follows IEEE 754. An expression that does not compile "
        "is an error with the compiler's message.",
        "tomoread path=projection.tif ! tomocalculate expression='-log(v)' ! tomowrite "
        "filename=attenuation.tif\n"
        "tomoread path=slice.tif ! tomocalculate dimensions=2 expression='hypot(x - width / 2.0f, y - height "
        "/ 2.0f) < 100 ? v : 0' ! tomowrite filename=disc.tif"};

    tomo::Property<std::string> expression{this, "expression",
                                           "OpenCL C expression. dimensions=1: v is the value, x the index "
                                           "of the float in the array, size their "
                                           "number. dimensions=2: x and y are column and row, of width and "
                                           "height, index is that of the float. Indices are integers. Of "
                                           "complex samples, real and imaginary part count as floats",
                                           "0.0f", tomo::When::reshapes};
    tomo::Property<unsigned> dimensions{this, "dimensions", "Indices that the expression uses",
                                        1,    {1, 2},       tomo::When::reshapes};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        const auto out = in.is_complex() ? in : in.with_format(GST_TOMO_FORMAT_FLOAT32);
        build(in);
        return out;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(*kernel_, {floats_per_row(in.info()), in.height(), in.depth()}, floats(in), out,
               cl_uint{in.depth()});
    }

    void stop() override { kernel_ = nullptr; }

  private:
    static std::size_t floats_per_row(const tomo::ArrayInfo &info) {
        return std::size_t{info.width} * (info.is_complex() ? 2 : 1);
    }

    static tomo::Array floats(const tomo::Array &array) {
        if (!array.info().is_complex())
            return array;
        return array.as(
            array.info().with_format(GST_TOMO_FORMAT_FLOAT32).with_size(array.width() * 2, array.height()));
    }

    void build(const tomo::ArrayInfo &in) {
        const auto file = tomo::kernel_file("calculate.cl");
        const char *marker = "EXPRESSION";
        std::string source = file;
        const auto text = expression.value();
        if (text.find_first_not_of(" \t\n") == std::string::npos)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS, "expression is empty; v gives the input as it is");
        tomo::users::must_not_be_quoted("expression", text, tomo::users::Strings::none);
        // The user's text stands on a line of its own, so that the compiler's message points into it.
        source.replace(source.rfind(marker), std::strlen(marker), "\n#line 1 \"expression\"\n" + text + "\n");
        input_format("in", in.is_complex() ? GST_TOMO_FORMAT_FLOAT32 : in.format);
        kernel_ =
            &kernel_from_source("expression=\"" + text + "\"", source, "calculate",
                                tomo::text("-D DIMENSIONS=%u %s", dimensions.value(), input_types().c_str()));
    }

    tomo::Kernel *kernel_ = nullptr;
};

} // namespace

TOMO_ELEMENT(Calculate)
