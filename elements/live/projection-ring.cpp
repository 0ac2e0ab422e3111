// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "projection-window.hpp"
#include "view-rule.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-by-side.hpp>

#include <utility>

using namespace tomo;

namespace {

enum class Kept { single, half };

class ProjectionRing final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "projection-ring",
        .klass = "Filter/Effect",
        .blurb = "Keeps the newest projections on the device, for tomoliveslices",
        .in = formats::real,
        .out = formats::real,
        .details =
            R"(Projections go on unchanged, each with a view of the projections that are the newest ones at its moment. `tomoliveslices`
behind makes slices of these while the stream goes on. Projections should be filtered before, as by `tomorampfilter`. The planes of a
stack are projections that follow each other.

The angle of a projection is its number times `angle-step`, its time times `speed`, or the angle that its source tells, in this order. Its
number is that of the frame, so that lost frames leave a gap and others keep their angles. Its time is that of the exposure, else the
time stamp of the buffer, from the first projection on.

With `views` the ring keeps that many, so that each moving window of them is a scan. Without, it keeps as many as cover half a turn, and
grows until they do; behind a gap of more than 45 degrees it begins anew, as it does where a source is started again and counts anew. Slices begin as soon as so many have come. Memory comes in blocks of 16 projections; a block is given back
when nobody reads it any more.)",
        .example =
            "tomoread path=projections ! tomocalculate expression='-log(v)' ! tomorampfilter ! tomoprojectionring views=180 "
            "angle-step=0.01745 ! tomoliveslices name=s s.src_0 ! tomowrite filename=live.tif",
    };

    Property<unsigned> views{
        this,           "views",
        Automatic{0},   {0, 1u << 20},
        When::reshapes, "Projections that are kept; 0: as many as cover half a turn by their angles"};
    live::ViewRule rule{this};
    Choice<Kept> precision{this,
                           "precision-mode",
                           Kept::single,
                           {{Kept::single, "single", "float32"},
                            {Kept::half, "half", "float16: half of the memory, errors of about 2e-4"}},
                           When::reshapes,
                           "What projections are kept in"};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.domain == GST_TOMO_DOMAIN_SINOGRAM)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("got sinograms (%s), but keeps projections: put tomotransposeprojections before",
                             in.describe().c_str()));
        const auto kept =
            in.with_size(in.width, in.height, 1)
                .with_format(precision == Kept::half ? GST_TOMO_FORMAT_FLOAT16 : GST_TOMO_FORMAT_FLOAT32);
        // Stacks may be of any depth, as the last one is.
        if (!ring_ || ring_->projection() != kept || ring_->views() != views) {
            ring_.emplace(kept, views);
            rule.forget_stacks();
        }
        copy_ = kernel("keep", precision == Kept::half ? "-DKEEP_HALF" : "");
        return in;
    }

    void device_changed() override {
        ring_.reset(); // it lies on the earlier one
        Filter::device_changed();
    }
    void stop() override {
        ring_.reset();
        forget();
        rule.scan = {};
    }
    std::string history() const override { return "a ring keeps the projections before it"; }

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        const Array in = import(buffer, input_info());
        rule.begin(buffer, in.depth());
        // A camera that is started again and counts anew has other angles than before.
        if (std::exchange(is_new_stream_, false) && last_ && rule.number(0) <= *last_)
            ring_.emplace(ring_->projection(), views);
        last_ = rule.number(in.depth() - 1);
        for (unsigned plane = 0; plane < in.depth(); plane++)
            ring_->put(*this, copy_, in.plane(plane), {rule.angle(plane), rule.number(plane)});
        BufferRef result = in.to_buffer();
        copy_frame_metadata(buffer, result.get(), Pixels::same);
        live::WindowMeta::attach(result.get(), ring_->window());
        return push(in, std::move(result));
    }

    EventRef scan_event(EventRef event) override {
        rule.scan = Scan(event.get());
        return event;
    }
    void clear() override { forget(); }
    void sees(GstEvent *event) override { is_new_stream_ |= GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START; }

  private:
    void forget() {
        if (ring_)
            ring_.emplace(ring_->projection(), views);
        last_.reset();
        rule.forget();
    }

    std::optional<live::Ring> ring_;
    std::optional<std::uint64_t> last_; // number of the newest projection
    bool is_new_stream_ = false;
    Kernel copy_;
};

} // namespace

TOMO_ELEMENT(ProjectionRing)
