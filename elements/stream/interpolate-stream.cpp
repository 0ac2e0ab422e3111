// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "interpolated.hpp"

#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>
#include <deque>

using namespace tomo;

namespace {

class InterpolateStream final : public Reducer {
  public:
    static constexpr Info info{
        .task = "interpolate-stream",
        .klass = "Filter/Effect",
        .blurb = "Gives `number` arrays, interpolated between those of a stream",
        .details =
            R"(Of m arrays, output i = 0 ... n - 1 with n = `number` lies at p = i (m - 1) / (n - 1), linearly
between arrays floor(p) and floor(p) + 1: the first output is the first array, the last one the last. If the
number of arrays is known beforehand, as from files, the element keeps two of them at a time; otherwise it
keeps all, on the device. Angles of projections are interpolated in the same way.)",
        .example = "tomoread path=projections number=3 ! tomointerpolatestream number=12 ! tomowrite "
                   "filename=between.h5:/data",
    };

    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, When::ready, "Arrays to be given"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs ? number.value() : 0;
    }

    void begin(const ArrayInfo &in) override {
        clear();
        out_ = in.with_format(GST_TOMO_FORMAT_FLOAT32).with_rate(0, 1);
        input_format("in0", in.format);
        input_format("in1", in.format);
    }

    void consume(const Array &in) override {
        if (!seen_++ && is_whole())
            announced_ = input_count();
        if (announced_ && seen_ > *announced_)
            wrong_count("at least");
        kept_.push_back(allocate(in.info()));
        copy_rows(in, {}, kept_.back(), {}, in.info().size());
        if (announced_ && kept_.size() > 2)
            kept_.pop_front();
    }

    void finish() override {
        if (announced_ && seen_ < *announced_ && input_may_end_anywhere()) {
            warn(text("the stream ended after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                      " arrays: of number=%u outputs the last %" G_GUINT64_FORMAT " are left out",
                      static_cast<guint64>(seen_), static_cast<guint64>(*announced_), number.value(),
                      static_cast<guint64>(number - next_)));
            next_ = number;
        }
        if (announced_ && next_ < number && seen_ != *announced_)
            wrong_count("only");
        announced_ = seen_;
    }

    // With the array behind it.
    bool ready() const override { return announced_ && next_ < number && std::ceil(place()) < seen_; }

    Array produce() override {
        const double lower = std::floor(place()), fraction = place() - lower;
        const auto first = static_cast<std::size_t>(lower) - (seen_ - kept_.size());
        Array out = allocate(out_);
        interpolate(*this, kept_[first], kept_[fraction > 0.0 ? first + 1 : first], fraction, out);
        next_++;
        return out;
    }

    void clear() override {
        kept_.clear();
        announced_.reset();
        seen_ = 0;
        next_ = 0;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        if (input_info().domain != GST_TOMO_DOMAIN_PROJECTION)
            return event;
        Scan scan(event.get());
        for (auto *list : scan.view_lists())
            *list = interpolated(*list);
        return scan.to_event();
    }

  private:
    // Values of the inputs, for the outputs.
    std::vector<double> interpolated(const std::vector<double> &values) const {
        std::vector<double> result;
        for (unsigned i = 0; !values.empty() && number <= Scan::most_views && i < number; i++) {
            const double at = number > 1 ? i * (values.size() - 1.0) / (number - 1.0) : 0.0;
            const auto before = static_cast<std::size_t>(at), after = std::min(before + 1, values.size() - 1);
            result.push_back(values[before] + (at - before) * (values[after] - values[before]));
        }
        return result;
    }

    // Of the next output, in arrays of the input.
    double place() const { return number > 1 ? double(next_) * (*announced_ - 1) / (number - 1.0) : 0.0; }

    // Of a part of a stream it is not known how many arrays it has.
    bool is_whole() const {
        return (segment().start == 0 || !GST_CLOCK_TIME_IS_VALID(segment().start)) &&
               !GST_CLOCK_TIME_IS_VALID(segment().stop);
    }

    [[noreturn]] void wrong_count(const char *came) const {
        throw Error(GST_STREAM_ERROR_FAILED,
                    text("%" G_GUINT64_FORMAT " arrays were announced, but %s %" G_GUINT64_FORMAT
                         " came: what was interpolated between them stands at wrong places",
                         *announced_, came, seen_));
    }

    ArrayInfo out_;
    std::deque<Array> kept_; // the last ones
    std::optional<std::uint64_t> announced_;
    std::uint64_t seen_ = 0;
    unsigned next_ = 0;
};

} // namespace

TOMO_ELEMENT(InterpolateStream)
