// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "users-kernel.hpp"

#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace users = tomo::users;

namespace {

class OpenCL final : public Joiner {
  public:
    static constexpr Info info{
        .task = "opencl",
        .klass = "Filter/Effect",
        .blurb = "Runs your own OpenCL kernel over one or several inputs",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            R"(The kernel has a `global float *` for each input and one for the output, which has the size of the first input and
is complex where that is. It must not write to its inputs. Its global size is that of the first input in `dimensions`:

- 1: all samples in a line,
- 2: columns and rows; each plane is given by itself,
- 3: columns, rows and planes.

Real samples of any format come as float32, complex ones as pairs of floats. Samples that the kernel does
not write are 0. A kernel of your own may read inputs of other sizes than the first one's; the kernels of
the built-in files take inputs of one size.

Built-in files, with UFO's kernels: `opencl.cl` has `nlm_noise_reduction` (with the macros `SEARCH_RADIUS`,
`PATCH_RADIUS` and `SIGMA`), `fix_nan_and_inf`, `absorptivity`, `diff`, `add`, `multiply` and `divide`; `complex.cl` has
`c_add`, `c_mul`, `c_div`, `c_conj` and `c_abs_squared`.)" TOMO_USERS_KERNEL_CAUTION,
        .example =
            "tomoread path=projection.tif ! tomoopencl kernel=absorptivity ! tomowrite "
            "filename=absorption.tif\n"
            "tomoread path=slice.tif ! tomoopencl kernel=twice source=\"kernel void twice(global float "
            "*in, global float *out) { size_t i = get_global_id(1) * get_global_size(0) + "
            "get_global_id(0); out[i] = 2.0f * in[i]; }\" ! tomowrite filename=twice.tif",
    };

    Property<std::string> filename{
        this, "filename", "opencl.cl", When::reshapes,
        "Kernel file: a path, a file in a folder of GST_TOMO_KERNEL_PATH, or a built-in one: "
        "opencl.cl, complex.cl"};
    Property<std::string> source{this, "source", "", When::reshapes, "Text of the kernel, instead of a file"};
    Property<std::string> kernel{this, "kernel", "", When::reshapes, "Name of the kernel"};
    Property<std::string> options{this, "options", "", When::reshapes, "Options for the OpenCL compiler"};
    Property<unsigned> dimensions{this,   "dimensions",   2,
                                  {1, 3}, When::reshapes, "Dimensions of the kernel's global size"};
    Property<bool> halve_width{this, "halve-width", true, When::reshapes,
                               "Of complex samples the global size counts samples, else floats"};

    std::vector<Input> inputs() const override { return {}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto kernel_text = users::source(source, filename);
        kernel_ = users::kernel(*this, kernel_text, kernel, options);
        if (const unsigned wanted = users::arguments(kernel_) - 1; wanted != in.size())
            throw Error(GST_CORE_ERROR_PAD,
                        text("kernel %s takes %u inputs and an output, but %zu are linked",
                             kernel_.name().c_str(), wanted, in.size()));
        if (kernel_text.is_ours)
            check_equal(in);
        for (const auto &other : in)
            if (dimensions == 2 && other.depth != in[0].depth && other.depth != 1)
                throw Error(GST_STREAM_ERROR_FORMAT, text("an input has %u planes, but input 0 has %u: "
                                                          "wanted as many or one",
                                                          other.depth, in[0].depth));
        return in[0].is_complex() ? in[0] : in[0].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const auto parts = users::pieces(out, dimensions);
        for (std::size_t part = 0; part < parts.size(); part++) {
            auto result = users::plain_zeros(*this, parts[part].info());
            Launch run(*this, kernel_);
            std::vector<Array> held;
            for (const auto &input : in) {
                const auto of_input = users::pieces(input, dimensions);
                held.push_back(users::plain(*this, of_input[std::min(part, of_input.size() - 1)]));
                run.add(BareBuffer{held.back()});
            }
            run.add(ReadWriteBareBuffer{result});
            run.run(users::work_size(result.info(), dimensions, halve_width));
            if (parts.size() == 1)
                out = result;
            else
                copy_rows(result, {}, out, {part * result.info().size()}, result.info().size());
        }
    }

  private:
    Kernel kernel_;
};

} // namespace

TOMO_ELEMENT(OpenCL)
