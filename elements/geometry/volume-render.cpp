// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preview-volume.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/reducer.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace tomo;

namespace {

enum class Mode { emission, maximum, sum, first_hit };

class VolumeRender final : public Reducer {
  public:
    static constexpr Info info{
        .task = "volume-render",
        .klass = "Filter/Effect",
        .blurb = "Makes pictures of the volume of all slices of a stream, by casting rays from any side",
        .details =
            "Slices, or stacks of them, are planes of the volume; pictures come at the end of the stream, and a change of "
            "size begins another volume. Rays are parallel. At angle t and elevation 0, columns of the picture are x cos t "
            "+ y sin t and rows are slices, as of a projection at that angle; an elevation looks from above, from where "
            "slices come first. The sphere around the volume fills the picture, times `zoom`. Along a ray, samples lie one "
            "`step` apart on planes that are the same for all rays; they are linear between voxels.\n"
            "\n"
            "`emission`: from the front to the back, each step has the opacity 1 - (1 - A)^s with A = `slope` (v - "
            "`threshold`) + `constant` within 0 ... 1 for values v above `threshold`, else 0, and its own value shines "
            "through all steps before it; s is the step in samples of a slice (Levoy, IEEE Comput. Graph. Appl. 8 (3), 29 "
            "(1988), doi 10.1109/38.511). `maximum`: the largest value. `sum`: values times the step in samples, which is "
            "the projection. `first-hit`: the cosine between the ray and the gradient where values first exceed "
            "`threshold`, 0 where they do not. Rays beside the volume give 0. Samples that are not finite, or are beside "
            "such ones, are air.\n"
            "\n"
            "The volume stays on the device as float32. Where it is larger than `max-memory`, voxels become means of 2 x 2 "
            "x 2 samples, as often as it takes, and the element tells the `binning`.",
        .example =
            "tomoread path=volume.h5:/volume ! tomovolumerender width=128 height=128 mode=maximum num-generate=3 "
            "delta=0.5 ! tomowrite filename=views.tif",
    };

    Property<unsigned> width{this, "width", 512, {1, 32768}, When::ready, "Columns of a picture"};
    Property<unsigned> height{this, "height", 512, {1, 32768}, When::ready, "Rows of a picture"};
    Property<unsigned> num_generate{this, "num-generate", 1, {1, G_MAXUINT}, When::ready, "Pictures"};
    Property<float> angle{this,
                          "angle",
                          0.0f,
                          {-FLT_MAX, FLT_MAX},
                          "Angle of the first picture around the slices' axis, radians"};
    Property<float> delta{this, "delta", 0.025f, {-FLT_MAX, FLT_MAX}, "Radians from one picture to the next"};
    Property<float> elevation{
        this, "elevation", 0.0f, {-FLT_MAX, FLT_MAX}, "Radians by which the view looks down from above"};
    Property<float> zoom{this,
                         "zoom",
                         1.0f,
                         {FLT_MIN, FLT_MAX},
                         "Magnification; at 1 the whole volume is in the picture from every side"};
    Choice<Mode> mode{this,
                      "mode",
                      Mode::emission,
                      {{Mode::emission, "emission", "Values that shine through those in front of them"},
                       {Mode::maximum, "maximum", "The largest value"},
                       {Mode::sum, "sum", "The sum, as a projection"},
                       {Mode::first_hit, "first-hit", "A lit surface"}},
                      "What a ray gives"};
    Property<float> step{this,
                         "step",
                         Automatic{0},
                         {0.0f, FLT_MAX},
                         "Step along a ray, in lengths of the volume's longest edge; 0: one voxel"};
    Property<float> threshold{this,
                              "threshold",
                              0.0f,
                              {-FLT_MAX, FLT_MAX},
                              "Values up to here are air, for emission and first-hit"};
    Property<float> slope{this,
                          "slope",
                          1.0f,
                          {-FLT_MAX, FLT_MAX},
                          "Growth of the opacity with the value, per sample, for emission"};
    Property<float> constant{
        this, "constant", 0.0f, {-FLT_MAX, FLT_MAX}, "Opacity at the threshold, per sample, for emission"};
    Property<float> displacement{
        this,
        "displacement",
        0.0f,
        {-FLT_MAX, FLT_MAX},
        "Near plane: how far it cuts into the sphere around the volume, in lengths of the longest edge; 0 or less: nothing is cut"};
    Property<std::uint64_t> max_memory{this, "max-memory", Automatic{0}, When::ready,
                                       "Most bytes of the volume on the device; 0: half of its limit"};

    void begin(const ArrayInfo &in) override {
        clear();
        slices_ = in;
        out_ = ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height);
        negotiate(out_);
    }

    void consume(const Array &in) override {
        if (!volume_) {
            const std::uint64_t most = max_memory.chosen().value_or(device()->memory_limit() / 2);
            volume_.emplace(*this, slices_, input_count(),
                            std::min<std::uint64_t>(most, device()->max_allocation()));
        }
        volume_->add(in);
    }

    void finish() override {
        voxels_ = volume_->take();
        left_ = num_generate;
        report_effective(
            EffectiveValues().add("binning", volume_->binning()).add("slices", volume_->slices()));
    }

    bool ready() const override { return left_ > 0; }

    Array produce() override {
        Array out = allocate(out_);
        render(num_generate - left_, out);
        if (--left_ == 0)
            clear();
        return out;
    }

    void clear() override {
        volume_.reset();
        voxels_ = {};
        left_ = 0;
    }

  protected:
    // Pictures are no images of the scan.
    EventRef scan_event(EventRef) override { return {}; }

  private:
    const char *option() const {
        switch (mode) {
        case Mode::maximum:
            return "-D MAXIMUM";
        case Mode::sum:
            return "-D SUM";
        case Mode::first_hit:
            return "-D FIRST_HIT";
        case Mode::emission:
            break;
        }
        return "-D EMISSION";
    }

    void render(unsigned number, Array &out) {
        const double binning = volume_->binning();
        // The volume's real size in voxels, of which the last ones may be cut.
        const double size[3] = {slices_.width / binning, slices_.height / binning,
                                static_cast<double>(volume_->slices()) / binning};
        const double edge = *std::max_element(size, size + 3),
                     diagonal = std::hypot(size[0], size[1], size[2]);
        const double pixel = diagonal / (double(std::min(width.value(), height.value())) * zoom);
        const double along = step.chosen() ? std::max(double(step) * edge, 1e-3) : 1.0;
        const double begin = -diagonal / 2 + std::max(0.0, double(displacement) * edge);
        const double t = angle + double(number) * delta, e = elevation;
        const auto vector = [](double x, double y, double z) {
            return cl_float4{{cl_float(x), cl_float(y), cl_float(z), 0.0f}};
        };
        launch(kernel("render", option()), WorkSize(width, height), BareBuffer{voxels_},
               cl_int4{{cl_int(voxels_.width()), cl_int(voxels_.height()), cl_int(voxels_.depth()), 1}}, out,
               vector(size[0], size[1], size[2]),
               vector(pixel * std::cos(t), pixel * std::sin(t), 0.0),
               vector(pixel * std::sin(e) * std::sin(t), -pixel * std::sin(e) * std::cos(t),
                      pixel * std::cos(e)),
               vector(-std::sin(t) * std::cos(e), std::cos(t) * std::cos(e), std::sin(e)), cl_float(begin),
               cl_uint(std::clamp(std::ceil((diagonal / 2 - begin) / along), 0.0, 1e9)), cl_float(along),
               cl_float(along * binning), threshold.value(), slope.value(), constant.value());
    }

    ArrayInfo slices_, out_;
    std::optional<PreviewVolume> volume_;
    Array voxels_;
    unsigned left_ = 0;
};

} // namespace

TOMO_ELEMENT(VolumeRender)
