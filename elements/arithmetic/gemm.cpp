// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>

using namespace tomo;

namespace {

class Gemm final : public Joiner {
  public:
    static constexpr Info info{
        .task = "gemm",
        .klass = "Filter/Effect",
        .blurb = "Product of two matrices, plus a third one: alpha A B + beta C",
        .details =
            R"(sink_0 is A, sink_1 is B, sink_2 is C; rows of the images are rows of the matrices. A has as many
columns as B has rows; C and the output have A's rows and B's columns. Without C the result is A B alone,
and so it is with `beta=0`, which does not read C. Arrays of several planes are multiplied plane by plane; a
single plane is multiplied with each of them. An input that ended repeats its last array until all have
ended.

Products are float32; their sums are compensated, so that the error does not grow with their number. NaN and infinity
spread as in IEEE sums.)",
        .example = "tomogemm name=g ! tomowrite filename=square.tif  tomoread path=slice.tif ! g.  tomoread "
                   "path=slice.tif ! tomotranspose ! g.",
    };

    Property<float> alpha{this, "alpha", 1.0f, {-FLT_MAX, FLT_MAX}, "Factor on A B"};
    Property<float> beta{this, "beta", 0.0f, {-FLT_MAX, FLT_MAX}, "Factor on C"};

    std::vector<Input> inputs() const override { return {}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in.size() != 2 && in.size() != 3)
            throw Error(GST_CORE_ERROR_PAD,
                        text("%zu inputs are linked, wanted A, B and, if there is one, C", in.size()));
        const auto &a = in[0], &b = in[1];
        unsigned depth = 1;
        for (const auto &matrix : in)
            depth = std::max(depth, matrix.depth);
        const auto out = a.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(b.width, a.height, depth);
        const bool fits =
            a.width == b.height && (in.size() < 3 || (in[2].width == b.width && in[2].height == a.height));
        const bool planes = std::all_of(in.begin(), in.end(),
                                        [&](const auto &m) { return m.depth == depth || m.depth == 1; });
        if (!fits || !planes)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("A is %s, B is %s%s%s: wanted as many columns of A as B has rows, a C of A's "
                             "rows and B's columns, and as many planes of each or one",
                             a.describe().c_str(), b.describe().c_str(), in.size() > 2 ? ", C is " : "",
                             in.size() > 2 ? in[2].describe().c_str() : ""));
        kernel_ = kernel(device()->prefers_local_memory() ? "gemm_tiled" : "gemm_rows",
                          in.size() > 2 ? "-D WITH_C" : "", "gemm.cl");
        return out;
    }

    void process(const std::vector<Array> &in, Array &out) override {
        if (in.size() == 2 && beta != 0.0f)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("beta=%g, but no C is linked: link sink_2, or leave beta 0", beta.value()));
        const auto a = packed("pack_in0", in[0], out.height(), in[0].width(), true, in.size());
        const auto b = packed("pack_in1", in[1], out.width(), in[0].width(), false, in.size());
        const Settings settings{out.width(), out.height(), b.width(), a.width(),
                                a.height(),  a.depth(),    b.depth(), in.size() > 2 ? in[2].depth() : 1,
                                alpha,       beta};
        Launch multiply(*this, kernel_);
        multiply.add(a);
        multiply.add(b);
        if (in.size() > 2)
            multiply.add(in[2]);
        multiply.add(out);
        multiply.add(settings);
        if (!device()->prefers_local_memory())
            return void(multiply.run({b.width() / 16, a.width() / 4, out.depth()}));
        multiply.add(LocalMemory{tile * slab * sizeof(float)});
        multiply.add(LocalMemory{tile * slab * sizeof(float)});
        multiply.run(WorkSize(b.width() / tile * 16, a.width() / tile * 16, out.depth()).groups(16, 16));
    }

  private:
    // As in the kernel.
    static constexpr unsigned tile = 64, slab = 32;
    struct Settings {
        cl_uint width, height, packed_width, packed_height, packed_k, planes_a, planes_b, planes_c;
        cl_float alpha, beta;
    };

    static unsigned round_up(unsigned size, unsigned unit) { return (size + unit - 1) / unit * unit; }

    // Columns of the result or, transposed, rows of it, by products.
    Array packed(const char *function, const Array &in, unsigned size, unsigned products, bool transposed,
                 std::size_t inputs) {
        Array out =
            allocate({GST_TOMO_FORMAT_FLOAT32, round_up(size, tile), round_up(products, slab), in.depth()});
        launch(kernel(function, inputs > 2 ? "-D WITH_C" : "", "gemm.cl"), WorkSize(out.info()), in, out,
               cl_uint{in.width()}, cl_uint{in.height()}, cl_int{transposed});
        return out;
    }

    Kernel kernel_;
};

} // namespace

TOMO_ELEMENT(Gemm)
