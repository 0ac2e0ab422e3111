// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../filter/noise-level.hpp"
#include "../filter/padded.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>

using namespace tomo;

namespace {

enum class Mode { below = -1, absolute, above };

// Pixels that belong together are found as a forest (Hoshen, Kopelman, Phys. Rev. B 14, 3438 (1976)) that
// grows in any order, so that nobody has to look from outside whether there is more to do.
class FindLargeSpots final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "find-large-spots",
        .klass = "Filter/Effect",
        .blurb = "Makes a mask of spots, 1 inside and 0 elsewhere: seeds beyond a threshold, grown as far as "
                 "the slope is steep",
        .details =
            "A pixel beside a spot's pixel (above, below, left or right) belongs to the spot if the two "
            "differ by more than grow-threshold. Holes are filled: good pixels from which no path of such "
            "steps leads to the border. A NaN is a spot of its own. Without `grow-threshold` the "
            "difference is 4.29 sigma, the full width of a Gaussian at a tenth of its height. sigma is "
            "the noise of the first array of the stream, estimated for each plane, after J. Immerkaer, "
            "Computer Vision and Image Understanding 64, 300 (1996): sqrt(pi / 2) / 6 times the mean of "
            "the absolute values of the image convolved with (1 -2 1; -2 4 -2; 1 -2 1).",
        .example = "tomoread path=projection.tif ! tomofindlargespots spot-threshold=0.2 "
                   "spot-threshold-mode=below ! tomowrite filename=spots.tif",
    };

    Property<float> spot_threshold{
        this, "spot-threshold", 0.0f, {-FLT_MAX, FLT_MAX}, "Pixels beyond this value are seeds"};
    Choice<Mode> mode{this,
                      "spot-threshold-mode",
                      Mode::absolute,
                      {{Mode::below, "below", "Smaller than the threshold"},
                       {Mode::absolute, "absolute", "With an absolute value that is larger"},
                       {Mode::above, "above", "Larger than the threshold"}},
                      "Meaning of beyond"};
    Property<float> grow_threshold{
        this,
        "grow-threshold",
        Automatic{0},
        {0.0f, FLT_MAX},
        "Difference between neighbours above which a spot grows; 0: from the noise"};
    AddressingMode addressing_mode{this, Addressing::mirrored_repeat,
                                   "Nothing: the outermost pixels have no part in the estimate of the noise"};

    std::string history() const override {
        return grow_threshold.chosen() ? "" : "grow-threshold=0 takes the noise of the first one";
    }

    ArrayInfo shape(const ArrayInfo &in) override {
        noise_ = {};
        kernel("connect_steep");
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        const auto image = padded(*this, in, {1, 1, 1, 1}, addressing_mode);
        if (!*noise_)
            noise_ = noise_level(*this, image, 1);
        const WorkSize all(in.info());
        auto forest = allocate(in.info().with_format(GST_TOMO_FORMAT_UINT32));
        auto marks = allocate(forest.info());
        auto step = [&](const char *name, auto &&...args) {
            launch(kernel(name), all, ReadWrite{forest}, args...);
        };
        step("plant", marks);
        step("connect_steep", image, std::as_const(*noise_), grow_threshold.value(),
             cl_int{addressing_mode == Addressing::repeat});
        step("mark_seeds", image, ReadWrite{marks}, spot_threshold.value(), cl_int(mode.value()));
        step("take_marked", std::as_const(marks), out);
        step("plant", marks);
        step("connect_gaps", std::as_const(out));
        step("mark_border", std::as_const(out), ReadWrite{marks});
        step("fill_unmarked", std::as_const(marks), out);
    }

  private:
    UntilStop<Array> noise_{this};
};

} // namespace

TOMO_ELEMENT(FindLargeSpots)
