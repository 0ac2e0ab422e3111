// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "interpolated.hpp"

#include <gst/tomo/bases/reducer.hpp>

#include <utility>

using namespace tomo;

namespace {

class InterpolateNeighbours final : public Reducer {
  public:
    static constexpr Info info{
        .task = "interpolate-neighbours",
        .klass = "Filter/Effect",
        .blurb = "Gives what lies between each array of a stream and the next one",
        .details =
            R"(Array k of the output is (1 - f) a_k + f a_(k+1), with f = `fraction`, so N arrays become N - 1. Each has the
time and facts of a_k. Slices are shifted along the rotation axis by parts of a pixel that way.)",
        .example = "tomoread path=projections number=5 ! tomointerpolateneighbours fraction=0.25 ! "
                   "tomowrite filename=between.h5:/data",
    };

    Property<double> fraction{
        this, "fraction", 0.5, {0.0, 1.0}, "Weight of the next array; that of the array itself is the rest"};

    unsigned latency() const override { return 1; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs > 0 ? inputs - 1 : 0;
    }

    void begin(const ArrayInfo &in) override {
        out_ = in.with_format(GST_TOMO_FORMAT_FLOAT32);
        input_format("in0", in.format);
        input_format("in1", in.format);
        clear();
        negotiate(out_);
    }

    void consume(const Array &in) override {
        before_ = std::exchange(last_, allocate(in.info()));
        is_alone_ = !before_;
        copy_rows(in, {}, last_, {}, in.info().size());
    }

    bool ready() const override { return static_cast<bool>(before_); }

    Array produce() override {
        Array out = allocate(out_);
        interpolate(*this, std::as_const(before_), std::as_const(last_), fraction, out);
        before_ = {};
        return out;
    }

    void finish() override {
        if (is_alone_)
            throw Error(GST_STREAM_ERROR_FAILED,
                        "one array came; wanted two or more, between which to interpolate");
    }
    unsigned unfinished_set() const override { return is_alone_; }

    void clear() override {
        before_ = last_ = {};
        is_alone_ = false;
    }

  protected:
    bool gives_one_each() const override { return true; }

  private:
    ArrayInfo out_;
    Array before_, last_;
    bool is_alone_ = false; // the first array, and no other yet
};

} // namespace

TOMO_ELEMENT(InterpolateNeighbours)
