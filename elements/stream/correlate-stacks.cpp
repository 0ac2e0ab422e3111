// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

#include <algorithm>

using namespace tomo;

namespace {

enum { references, images };

class CorrelateStacks final : public JoiningReducer {
  public:
    static constexpr Info info{
        .task = "correlate-stacks",
        .klass = "Filter/Effect",
        .blurb = "Matrix of the squared differences between each image of a stream and each plane of a stack",
        .details =
            R"(sink_0 gives the stack of references, sink_1 the images. Column r of row n is the sum over all
pixels of (reference r - image n)^2, kept in double precision where the device has it, else compensated. With
`number` a matrix is given whenever so many images have come, and an incomplete one is an error; with 0 there
is one, at the end of the stream. Keeps the matrix on the device.)",
        .example = "tomoread path=volume.h5:/volume ! tomostack number=4 ! c.sink_0  tomoread "
                   "path=volume.h5:/volume ! c.sink_1  tomocorrelatestacks name=c ! tomowrite "
                   "filename=differences.tif",
    };

    Property<unsigned> number{this, "number", Automatic{0}, When::ready,
                              "Images that make a matrix; 0: all that come"};

    std::vector<Input> inputs() const override { return {}; }
    unsigned numbered_inputs() const override { return 2; }
    std::uint64_t output_count(std::uint64_t inputs) const override { return inputs ? 1 : 0; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &stack = in[references];
        if (in[images].width != stack.width || in[images].height != stack.height || in[images].depth != 1)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("sink_1 gives %s, sink_0 gives %s; wanted images of one plane of the "
                             "references' size",
                             in[images].describe().c_str(), stack.describe().c_str()));
        if (rows_ && stack.depth != matrix_.width())
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("a stack of %u references came after one of %u, within one matrix", stack.depth,
                             matrix_.width()));
        return {};
    }

    void consume(const std::vector<Array> &in) override {
        const unsigned planes = in[references].depth();
        if (!matrix_)
            matrix_ = allocate({GST_TOMO_FORMAT_FLOAT32, planes, number ? number.value() : 16u});
        else if (rows_ == matrix_.height())
            grow();
        const auto items = std::min<std::size_t>(device()->max_work_group(), 256);
        launch(kernel("correlate_stacks"), WorkSize(items * planes).groups(items), in[references], in[images],
               ReadWrite{matrix_}, cl_ulong{rows_++}, cl_ulong{in[images].info().samples()},
               LocalMemory{items * sizeof(double)});
    }

    void finish() override {
        if (number && rows_)
            throw Error(
                GST_STREAM_ERROR_FAILED,
                text("number=%u images make a matrix, but the last one got only %u", number.value(), rows_));
        ended_ = true;
    }

    unsigned unfinished_set() const override { return number ? rows_ : 0; }
    bool ready() const override { return rows_ && (number ? rows_ == number : ended_); }

    Array produce() override {
        const auto full = matrix_.as(matrix_.info().with_size(matrix_.width(), rows_));
        clear();
        return full;
    }

    void clear() override {
        matrix_ = {};
        rows_ = 0;
        ended_ = false;
    }

  private:
    void grow() {
        const auto old = matrix_;
        matrix_ = allocate(old.info().with_size(old.width(), std::uint64_t{2} * old.height()));
        copy_rows(old, {}, matrix_, {}, old.info().size());
    }

    Array matrix_; // with room for more
    unsigned rows_ = 0;
    bool ended_ = false;
};

} // namespace

TOMO_ELEMENT(CorrelateStacks)
