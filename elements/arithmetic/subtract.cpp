// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

class Subtract final : public Joiner {
  public:
    static constexpr Info info{
        .task = "subtract",
        .klass = "Filter/Effect",
        .blurb = "First input minus all others, sample by sample",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            "out = sink_0 - sink_1 - ... All inputs have one size and are all real or all complex. An "
            "input that ended repeats its last array until all have ended. Large integers and float64 are "
            "subtracted in double precision where the device has it.",
        .example = "tomosubtract name=s ! tomowrite filename=difference.tif  tomoread path=radiographs ! s.  "
                   "tomoread path=darks ! tomoaverage ! s.",
    };

    std::vector<Input> inputs() const override { return {}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in.size() < 2)
            throw Error(GST_CORE_ERROR_PAD, "one input is linked: link another one to subtract");
        check_equal(in);
        build(in);
        return in[0].is_complex() ? in[0] : in[0].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        auto result = out.floats();
        Launch subtract(*this, kernel_);
        for (const auto &input : in)
            subtract.add(input.floats());
        subtract.add(result);
        subtract.run(result.info().samples());
    }

  private:
    // One pass over any number of inputs: the kernel has an argument for each.
    void build(const std::vector<ArrayInfo> &in) {
        std::string arguments, difference;
        for (std::size_t i = 0; i < in.size(); i++) {
            input_format(text("in%zu", i), in[i].floats().format);
            arguments += text("IN(in%zu), ", i);
            difference += text("%sLOAD_REAL(in%zu, i)", i ? " - " : "", i);
        }
        const auto source = "kernel void subtract(" + arguments +
                            "OUT(float, out)) {\n"
                            "    const ulong i = get_global_id(0);\n"
                            "    AT(out, i) = (float)(" +
                            difference + ");\n}\n";
        kernel_ = kernel_from_source("subtract", source, "subtract", input_types());
    }

    Kernel kernel_;
};

} // namespace

TOMO_ELEMENT(Subtract)
