// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "users-kernel.hpp"

#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace users = tomo::users;

namespace {

class OpenCLReduce final : public Reducer {
  public:
    static constexpr Info info{
        .task = "opencl-reduce",
        .klass = "Filter/Effect",
        .blurb = "Folds all arrays of a stream into one with your own OpenCL kernel",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            R"(The kernel has two arguments, `global float *` of an array and of the result so far. The result
is on the device and has the size of the first array. It begins as `fold-value` everywhere, or as the first
array. The kernel `finish`, if there is one, runs once at the end, with the result and a `uint`, the number
of arrays. Global sizes and samples are as for `tomoopencl`, complex samples count as two floats.

The built-in file has `minimum`, `maximum` (NaN wins in both), `sum` and, to finish with, `divide`. Sums are
float32, as the kernel's arguments are; use `tomoaverage` for the mean of long streams.)" TOMO_USERS_KERNEL_CAUTION,
        .example =
            "tomoread path=darks ! tomoopenclreduce kernel=maximum ! tomowrite filename=brightest.tif\n"
            "tomoread path=darks ! tomoopenclreduce kernel=sum finish=divide ! tomowrite "
            "filename=mean.tif",
    };

    Property<std::string> filename{
        this, "filename", "opencl-reduce.cl", When::ready,
        "Kernel file: a path, a file in a folder of GST_TOMO_KERNEL_PATH, or the built-in one, "
        "opencl-reduce.cl"};
    Property<std::string> source{this, "source", "", When::ready, "Text of the kernels, instead of a file"};
    Property<std::string> kernel{this, "kernel", "", When::ready, "Name of the kernel that folds"};
    Property<std::string> finish_kernel{this, "finish", "", When::ready,
                                        "Name of the kernel that runs at the end"};
    Property<float> fold_value{this,
                               "fold-value",
                               Automatic{FLT_MAX},
                               {-FLT_MAX, FLT_MAX},
                               When::ready,
                               "Value with which the result begins; the largest float: the first array"};
    Property<unsigned> dimensions{this,   "dimensions", 2,
                                  {1, 3}, When::ready,  "Dimensions of the kernels' global size"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs ? 1 : 0;
    }

    void begin(const ArrayInfo &in) override {
        out_ = (in.is_complex() ? in : in.with_format(GST_TOMO_FORMAT_FLOAT32)).with_rate(0, 1);
        const auto text = users::source(source, filename);
        fold_ = users::kernel(*this, text, kernel, "", 2);
        check_arguments(fold_);
        finish_ = finish_kernel.value().empty() ? Kernel() : users::kernel(*this, text, finish_kernel, "", 1);
        if (finish_)
            check_arguments(finish_);
        clear();
    }

    void consume(const Array &in) override {
        const auto parts = users::pieces(in, dimensions);
        for (std::size_t i = 0; i < parts.size(); i++) {
            const auto part = users::plain(*this, parts[i]);
            if (count_ == 0)
                results_.push_back(first_result(part));
            if (count_ > 0 || begins_with_value())
                launch(fold_, users::work_size(part.info(), dimensions, false), BareBuffer{part},
                       ReadWriteBareBuffer{results_[i]});
        }
        count_++;
    }

    void finish() override {
        for (auto &result : results_)
            if (finish_)
                launch(finish_, users::work_size(result.info(), dimensions, false),
                       ReadWriteBareBuffer{result}, count_);
        is_ready_ = true;
    }

    bool ready() const override { return is_ready_; }

    Array produce() override {
        is_ready_ = false;
        if (results_.size() == 1)
            return results_[0].as(out_);
        auto out = allocate(out_);
        for (std::size_t i = 0; i < results_.size(); i++)
            copy_rows(results_[i], {}, out, {i * results_[i].info().size()}, results_[i].info().size());
        return out;
    }

    void clear() override {
        results_.clear();
        count_ = 0;
        is_ready_ = false;
    }

  protected:
    EventRef scan_event(EventRef event) override { return scan_without_views(event); }

  private:
    bool begins_with_value() const { return fold_value.chosen().has_value(); }

    static void check_arguments(const Kernel &kernel) {
        if (const unsigned count = users::arguments(kernel); count != 2)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("kernel %s has %u arguments, wanted 2", kernel.name().c_str(), count));
    }

    Array first_result(const Array &part) {
        auto result = allocate(part.info());
        const cl_float value = fold_value;
        if (begins_with_value())
            fill(result, &value, sizeof value);
        else
            copy_rows(part, {}, result, {}, part.info().size());
        return result;
    }

    ArrayInfo out_;
    Kernel fold_, finish_;
    std::vector<Array> results_; // one, or one of each plane
    cl_uint count_ = 0;
    bool is_ready_ = false;
};

} // namespace

TOMO_ELEMENT(OpenCLReduce)
