// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/transform.hpp>

#include <chrono>
#include <condition_variable>

using namespace tomo;

namespace {

class Sleep final : public Transform {
  public:
    static constexpr Info info{
        .task = "sleep",
        .klass = "Filter/Effect",
        .blurb = "Waits before it hands on each array",
        .in = formats::all,
        .out = formats::all,
        .details = "A stop, a flush or a change of state ends the wait at once.",
        .example =
            "tomoread path=projections number=3 ! tomosleep time=0.05 ! tomowrite filename=later.h5:/data",
    };

    Property<double> time{this, "time", 1.0, {0.0, DBL_MAX}, "Seconds"};

    bool needs_device() const override { return false; }

    void cancelled_changed() override {
        std::lock_guard<std::mutex> lock(lock_); // not between a look at the flag and the wait
        woken_.notify_all();
    }

  protected:
    void begin(const ArrayInfo &in) override { negotiate(in); }

    GstFlowReturn take(GstBuffer *buffer) override {
        using Seconds = std::chrono::duration<double>;
        constexpr Seconds longest = std::chrono::hours(24 * 365); // what clocks can count
        std::unique_lock<std::mutex> lock(lock_);
        const auto wait =
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::min(Seconds(time.value()), longest));
        if (woken_.wait_for(lock, wait, [this] { return is_cancelled(); }))
            return GST_FLOW_FLUSHING;
        lock.unlock();
        return push_submitted(input_info(), BufferRef::referenced(buffer));
    }

  private:
    std::mutex lock_;
    std::condition_variable woken_;
};

} // namespace

TOMO_ELEMENT(Sleep)
