// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

namespace {

class Subtract final : public tomo::Joiner {
  public:
    static constexpr tomo::Info info{"subtract",
                                     "Filter/Effect",
                                     "First input minus all others, sample by sample",
                                     tomo::formats::all,
                                     tomo::formats::float32 | tomo::formats::complex64,
                                     "out = sink_0 - sink_1 - ... All inputs have one size and are all real "
                                     "or all complex. An input that ended "
                                     "repeats its last array until all have ended. Large integers and "
                                     "float64 are subtracted in double precision "
                                     "where the device has it.",
                                     "tomosubtract name=s ! tomowrite filename=difference.tif "
                                     " tomoread path=radiographs ! s.  "
                                     "tomoread path=darks ! tomoaverage ! s."};

    std::vector<Input> inputs() const override { return {}; }

    tomo::ArrayInfo shape(const std::vector<tomo::ArrayInfo> &in) override {
        if (in.size() < 2)
            throw tomo::Error(GST_CORE_ERROR_PAD, "one input is linked: link another one to subtract");
        check_equal(in);
        build(in);
        return in[0].is_complex() ? in[0] : in[0].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<tomo::Array> &in, tomo::Array &out) override {
        auto result = out.floats();
        Launch subtract(*this, *kernel_);
        for (const auto &input : in)
            subtract.add(input.floats());
        subtract.add(result);
        subtract.run(result.info().samples());
    }

  private:
    // One pass over any number of inputs: the kernel has an argument for each.
    void build(const std::vector<tomo::ArrayInfo> &in) {
        std::string arguments, difference;
        for (std::size_t i = 0; i < in.size(); i++) {
            input_format(tomo::text("in%zu", i), in[i].floats().format);
            arguments += tomo::text("IN(in%zu), ", i);
            difference += tomo::text("%sLOAD_REAL(in%zu, i)", i ? " - " : "", i);
        }
        const auto source = "kernel void subtract(" + arguments +
                            "OUT(float, out)) {\n"
                            "    const ulong i = get_global_id(0);\n"
                            "    AT(out, i) = (float)(" +
                            difference + ");\n}\n";
        kernel_ = &kernel_from_source("subtract", source, "subtract", input_types());
    }

    tomo::Kernel *kernel_ = nullptr;
};

} // namespace

TOMO_ELEMENT(Subtract)
