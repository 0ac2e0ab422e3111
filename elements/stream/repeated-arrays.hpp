// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <utility>

namespace tomo {

// Each array several times, one after the other. The arrays are not copied, and keep the facts about them;
// the frame rate is multiplied.
class RepeatedArrays : public Reducer {
  public:
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs * times();
    }

    void begin(const ArrayInfo &in) override {
        clear();
        out_ = times() ? in.with_rate_times(times(), 1) : in;
        negotiate(out_);
    }

    void consume(const Array &in) override {
        array_ = in.as(out_);
        left_ = times();
    }

    bool ready() const override { return left_ > 0; }

    Array produce() override { return --left_ ? array_ : std::exchange(array_, {}); }

    void clear() override {
        array_ = {};
        left_ = 0;
    }

  protected:
    // May change with the shape of the output.
    virtual unsigned times() const = 0;

    EventRef scan_event(EventRef event) override {
        if (out_.domain != GST_TOMO_DOMAIN_PROJECTION)
            return event;
        Scan scan(event.get());
        scan.repeat_views(times());
        return scan.to_event();
    }

  private:
    ArrayInfo out_;
    Array array_;
    unsigned left_ = 0;
};

} // namespace tomo
