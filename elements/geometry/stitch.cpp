// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>

using namespace tomo;

namespace {

class Stitch final : public Joiner {
  public:
    static constexpr Info info{
        .task = "stitch",
        .klass = "Filter/Effect",
        .blurb = "Joins two images that overlap at their sides into a wider one",
        .details =
            R"(With `shift` s >= 0 the image of sink_0, W0 columns wide, is the left one, and the right one, of
sink_1, begins at its column s: they share W0 - s columns. With s < 0 they change places, and share W1 + s.
The output shows the left image, then the rest of the right one. With `adjust-mean` the right image is
multiplied by the ratio of the means of the shared columns, left over right, for each plane; a warning
counts ratios that are not finite, as where the right mean is 0. With `blend` the n shared columns k are (1
- t) left + t right, t = k / (n - 1), or 1/2 for n = 1. The axis of a scan is that of sink_0's image.)",
        .example = "tomoread path=projections ! tomocrop width=160 ! s.sink_0  tomoread path=projections ! "
                   "tomocrop x=120 ! s.sink_1  tomostitch name=s shift=120 blend=true ! tomowrite "
                   "filename=stitched.h5:/data",
    };

    Property<int> shift{this, "shift", 0, When::reshapes,
                        "Column of the left image where the right one begins; negative: sink_1 is left"};
    Property<bool> adjust_mean{this, "adjust-mean", true,
                               "Scale the right image so that the means of the shared columns agree"};
    Property<bool> blend{this, "blend", false, "Fade linearly from left to right where they overlap"};

    std::vector<Input> inputs() const override { return {}; }
    unsigned numbered_inputs() const override { return 2; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        swapped_ = shift < 0;
        const auto &left = in[swapped_], &right = in[!swapped_];
        const std::uint64_t distance = std::abs(std::int64_t{shift}), width = distance + right.width;
        if (left.height != right.height || left.depth != right.depth)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("sink_0 gives %s, sink_1 gives %s; wanted the same height and depth",
                             in[0].describe().c_str(), in[1].describe().c_str()));
        if (distance > left.width || width < left.width || width > G_MAXINT)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("shift=%d puts a right image of %u columns at column %" G_GUINT64_FORMAT
                             " of a left one of %u: they have to touch, and the right one has to reach the "
                             "left one's right edge",
                             shift.value(), right.width, distance, left.width));
        offset_ = static_cast<unsigned>(distance);
        in0_ = in[0];
        input_format("left", left.format);
        input_format("right", right.format);
        kernel("stitch");
        weights_ = allocate({GST_TOMO_FORMAT_FLOAT32, left.depth, 1});
        return in[0].with_format(GST_TOMO_FORMAT_FLOAT32).with_size(width, left.height);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        const auto &left = in[swapped_], &right = in[!swapped_];
        const cl_uint overlap = left.width() - offset_;
        if (adjust_mean && overlap) {
            weigh(left, right, overlap);
        } else {
            const float one = 1.0f;
            fill(*weights_, &one, sizeof one);
        }
        launch(kernel("stitch"), WorkSize(out.info()), left, right, std::as_const(*weights_), out,
               cl_uint{left.width()}, cl_uint{right.width()}, cl_uint{offset_}, cl_int{blend});
    }

    // Told once, because asking for every frame would wait for every frame.
    void finish() override {
        if (!*bad_)
            return;
        const auto count = *Host<const cl_uint>(*bad_).data();
        bad_ = {};
        if (count)
            warn(text("%u planes could not be adjusted: the shared columns have a mean of 0 or one "
                      "that is not finite; adjust-mean=false leaves them as they are",
                      count));
    }

  protected:
    EventRef scan_event(EventRef event) override {
        return scan_after(event, in0_, {swapped_ ? -double(offset_) : 0.0, 1.0, output_info().width},
                          {0.0, 1.0, in0_.height});
    }

  private:
    void weigh(const Array &left, const Array &right, cl_uint overlap) {
        if (!*bad_) {
            bad_ = allocate({GST_TOMO_FORMAT_UINT32, 1, 1});
            const cl_uint none = 0;
            fill(*bad_, &none, sizeof none);
        }
        const auto items = std::min<std::size_t>(device()->max_work_group(), 256);
        launch(kernel("weight_of_right"), WorkSize(items, 1, left.depth()).groups(items), left, right,
               *weights_, ReadWrite{*bad_}, cl_uint{left.width()}, cl_uint{right.width()},
               cl_uint{left.height()}, overlap, LocalMemory{items * sizeof(double)});
    }

    bool swapped_ = false;
    unsigned offset_ = 0; // of the right image
    ArrayInfo in0_;
    UntilStop<Array> weights_{this}; // of the right image's planes
    UntilStop<Array> bad_{this};     // how many of them are not finite
};

} // namespace

TOMO_ELEMENT(Stitch)
