// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/projection-store.hpp>
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>
#include <numeric>

using namespace tomo;

namespace {

class TransposeProjections final : public Reducer {
  public:
    static constexpr Info info{
        .task = "transpose-projections",
        .klass = "Filter/Effect",
        .blurb = "Gathers projections of W x H and gives their H sinograms of W x number",
        .in = formats::all,
        .out = formats::all,
        .details =
            "Sinogram r has row r of each projection, in the order in which they came. Nothing comes "
            "before the last projection (or the last of `number`): all of them are held, on the device "
            "where they fit, else on the host. Angles of the frames become those of the sinograms' rows.",
        .example = "tomoread path='projections/*.tif' ! tomocalculate expression='-log(v)' ! "
                   "tomotransposeprojections ! tomowrite filename=sinograms.tif",
    };

    Property<unsigned> number{
        this,
        "number",
        Automatic{0},
        {0, G_MAXINT},
        When::ready,
        "Projections that make a set of sinograms, again and again; 0: all until the end of the stream"};

    unsigned latency() const override { return number ? number - 1 : 0; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &in) const override {
        return number ? inputs / number * in.height : std::min<std::uint64_t>(inputs, 1) * in.height;
    }

    void begin(const ArrayInfo &in) override {
        in_ = in;
        clear();
        store_.begin(in, number);
        if (number)
            negotiate(sinogram(number));
    }

    void consume(const Array &in) override {
        if (angles_.empty())
            first_frame_ = frame_ != GST_BUFFER_OFFSET_NONE ? frame_ : taken_;
        taken_++;
        angles_.push_back(angle_);
        store_.add(in);
    }

    void finish() override {
        if (number)
            throw Error(GST_STREAM_ERROR_FAILED,
                        text("%u projections came at the end of the stream where number=%u make a set: set "
                             "number to those of the scan, or to 0 for all",
                             store_.count(), number.value()));
        ended_ = true;
    }

    unsigned unfinished_set() const override { return number ? store_.count() : 0; }
    bool ready() const override { return store_.count() > 0 && (ended_ || store_.count() == number); }

    Array produce() override {
        if (row_ == 0) {
            send_scan(scan_of_set());
            report_effective(EffectiveValues().add("projections", store_.count()));
        }
        auto out = allocate(sinogram(store_.count()));
        store_.copy_sinogram(row_, out);
        if (++row_ == in_.height)
            start_set();
        return out;
    }

    void clear() override {
        start_set();
        store_.clear();
        taken_ = 0;
    }

  protected:
    // Facts of the frames are known here only.
    GstFlowReturn take(GstBuffer *buffer) override {
        frame_ = GST_BUFFER_OFFSET(buffer);
        const auto *meta = gst_buffer_get_tomo_frame_meta(buffer);
        angle_ = meta ? meta->angle : std::nan("");
        return Reducer::take(buffer);
    }

    // Angles of more than one set of sinograms are sent with each set.
    EventRef scan_event(EventRef event) override {
        scan_ = event;
        Scan scan(event.get());
        const bool has_more = std::max(scan.angles.size(), scan.projection_numbers.size()) > number;
        return number && has_more ? EventRef() : event;
    }

  private:
    void start_set() {
        store_.rewind();
        row_ = 0;
        ended_ = false;
        angles_.clear();
    }

    ArrayInfo sinogram(unsigned projections) const {
        const bool back = in_.domain == GST_TOMO_DOMAIN_SINOGRAM; // a second time makes projections again
        return in_.with_size(in_.width, projections)
            .with_rate_times(in_.height, projections)
            .with_domain(back ? GST_TOMO_DOMAIN_PROJECTION : GST_TOMO_DOMAIN_SINOGRAM);
    }

    // The scan as far as the gathered projections are concerned: the frames know their angles best.
    EventRef scan_of_set() const {
        const auto unknown = [](double angle) { return std::isnan(angle); };
        const bool known = std::none_of(angles_.begin(), angles_.end(), unknown);
        const auto announced = input_count();
        const bool lacks_some = !number && announced && *announced > angles_.size();
        if (!*scan_ && !known && !lacks_some)
            return {};
        Scan scan(*scan_ ? scan_->get() : EventRef(gst_event_new_tomo_scan(nullptr, 0, NAN, NAN)).get());
        const std::size_t n = angles_.size();
        // Where the stream was ended early, angles that are assumed later are those of the whole scan.
        if (lacks_some && !known && scan.angles.empty() && scan.projection_numbers.empty() &&
            first_frame_ + n <= *announced) {
            scan.projection_numbers.resize(n);
            std::iota(scan.projection_numbers.begin(), scan.projection_numbers.end(),
                      static_cast<double>(first_frame_));
            scan.total_projections = static_cast<double>(*announced);
        }
        for (auto *list : scan.view_lists())
            if (number && list != &scan.angles && first_frame_ + n <= list->size())
                *list = std::vector<double>(list->begin() + first_frame_, list->begin() + first_frame_ + n);
        if (known) {
            scan.angles = angles_;
        } else if (number && scan.angles.size() > n) {
            if (first_frame_ + n > scan.angles.size())
                throw Error(GST_STREAM_ERROR_FORMAT,
                            text("projections %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                                 " have no angles: the scan's are %zu",
                                 first_frame_, first_frame_ + n - 1, scan.angles.size()));
            const auto first = scan.angles.begin() + first_frame_;
            scan.angles = std::vector<double>(first, first + n);
        }
        return scan.to_event();
    }

    ArrayInfo in_;
    ProjectionStore store_{*this};
    UntilStop<EventRef> scan_{this};
    // Of the frame that comes in: its number in the stream, if that is known, and its angle.
    std::uint64_t frame_ = GST_BUFFER_OFFSET_NONE;
    double angle_ = std::nan("");
    std::vector<double> angles_; // of the gathered projections, NaN when unknown
    std::uint64_t first_frame_ = 0, taken_ = 0;
    unsigned row_ = 0;
    bool ended_ = false;
};

} // namespace

TOMO_ELEMENT(TransposeProjections)
