// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/transform.hpp>

#include <chrono>
#include <condition_variable>

namespace {

class Sleep final : public tomo::Transform {
  public:
    static constexpr tomo::Info info{
        "sleep",
        "Filter/Effect",
        "Waits before it hands on each array",
        tomo::formats::all,
        tomo::formats::all,
        "A stop, a flush or a change of state ends the wait at once.",
        "tomoread path=projections number=3 ! tomosleep time=0.05 ! tomowrite filename=later.h5:/data"};

    tomo::Property<double> time{this, "time", "Seconds", 1.0, {0.0, DBL_MAX}};

    bool needs_device() const override { return false; }

    void cancelled_changed() override {
        std::lock_guard<std::mutex> lock(lock_); // not between a look at the flag and the wait
        woken_.notify_all();
    }

  protected:
    void input_changed() override { negotiate(input_info()); }

    GstFlowReturn take(GstBuffer *buffer) override {
        using Seconds = std::chrono::duration<double>;
        constexpr Seconds longest = std::chrono::hours(24 * 365); // what clocks can count
        std::unique_lock<std::mutex> lock(lock_);
        const auto wait =
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::min(Seconds(time.value()), longest));
        if (woken_.wait_for(lock, wait, [this] { return is_cancelled(); }))
            return GST_FLOW_FLUSHING;
        lock.unlock();
        return push_foreign(input_info(), tomo::BufferRef::referenced(buffer));
    }

  private:
    std::mutex lock_;
    std::condition_variable woken_;
};

} // namespace

TOMO_ELEMENT(Sleep)
