// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "users-kernel.hpp"

#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace users = tomo::users;

namespace {

class OclOneLiner final : public Joiner {
  public:
    static constexpr Info info{
        .task = "ocl-1liner",
        .klass = "Filter/Effect",
        .blurb = "Runs one statement of OpenCL C for every pixel of one or several inputs",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            R"(In the statement, inputs are the float arrays `in_0`, `in_1`, ... (also `in0`, `in1`, ...) and
the output is `out`; `px_index` is the pixel's place in each of them, so that `in_0_px` and `out_px` are the
pixel itself. `IMG_VAL(column, row, in_0)` is another pixel. `x` and `y` are column and row of `sizeX` and
`sizeY`, `z` is the plane of `sizeZ`; each plane is computed by itself. Of complex samples, real and
imaginary part count as columns. Pixels that the statement does not set are 0. All inputs have one size; an
input that has ended repeats its last array until all have ended.)" TOMO_USERS_KERNEL_CAUTION,
        .example =
            "tomoread path=projection.tif ! tomoocl1liner one-line=\"out_px = x < sizeX / 2 ? in_0_px : "
            "sqrt(in_0_px)\" ! tomowrite filename=half.tif",
    };

    Property<std::string> one_line{this, "one-line", "", When::reshapes, "The statement"};
    Property<unsigned> num_inputs{this, "num-inputs", 1, When::reshapes, "Inputs; 0: as many as are linked"};
    Property<bool> quiet{this, "quiet", true, "Don't print the kernel made from the statement"};

    std::vector<Input> inputs() const override { return {}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (num_inputs && num_inputs != in.size())
            throw Error(GST_CORE_ERROR_PAD,
                        text("%zu inputs are linked, but num-inputs=%u", in.size(), num_inputs.value()));
        check_equal(in);
        if (one_line.value().find_first_not_of(" \t\n;") == std::string::npos)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, "one-line is empty; out_px = in_0_px copies the input");
        users::must_not_be_quoted("one-line", one_line, users::Strings::inside);
        const auto source = source_for(in.size());
        if (!quiet)
            g_print("%s\n", source.c_str());
        kernel_ = users_kernel("the kernel of one-line", source, "ocl_1liner", "");
        return in[0].is_complex() ? in[0] : in[0].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        out = users::plain_zeros(*this, out.info());
        Launch run(*this, kernel_);
        std::vector<Array> held;
        for (const auto &input : in) {
            held.push_back(users::plain(*this, input));
            run.add(BareBuffer{held.back()});
        }
        run.add(ReadWriteBareBuffer{out});
        run.run(users::work_size(out.info(), 3, false));
    }

  private:
    std::string source_for(std::size_t inputs) const {
        std::string macros, arguments, planes;
        for (std::size_t i = 0; i < inputs; i++) {
            macros += text("#define in_%zu_px (in_%zu[px_index])\n#define in%zu in_%zu\n", i, i, i, i);
            arguments += text("global const float *in_%zu_all, ", i);
            planes += text("    global const float *in_%zu = in_%zu_all + z * sizeX * sizeY;\n", i, i);
        }
        return "#define IMG_VAL(hx, hy, image) (image[(hx) + (hy) * sizeX])\n#define out_px "
               "(out[px_index])\n" +
               macros + "kernel void ocl_1liner(" + arguments +
               "global float *out_all) {\n"
               "    const size_t sizeX = get_global_size(0), sizeY = get_global_size(1), sizeZ = "
               "get_global_size(2);\n"
               "    const size_t x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);\n"
               "    const size_t px_index = x + y * sizeX;\n" +
               planes +
               "    global float *out = out_all + z * sizeX * sizeY;\n"
               "#line 1 \"one-line\"\n" +
               one_line.value() + "\n;\n}\n";
    }

    Kernel kernel_;
};

} // namespace

TOMO_ELEMENT(OclOneLiner)
