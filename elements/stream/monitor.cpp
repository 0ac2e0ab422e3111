// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame-report.hpp"

#include <gst/tomo/bases/transform.hpp>

namespace {

class Monitor final : public tomo::Transform {
  public:
    static constexpr tomo::Info info{
        "monitor",
        "Filter/Effect",
        "Prints a line about each array: shape, facts, place in memory and first values",
        tomo::formats::all,
        tomo::formats::all,
        R"(Standard output gets one line for each array, and one with the first values if `print` is set,
which brings the array to the host. Arrays are handed on as they are.)",
        "tomoread path=projections number=3 ! tomomonitor print=4 ! tomonull"};

    tomo::Property<unsigned> print{this, "print", "First values to be printed", 0};

    bool needs_device() const override { return false; }

  protected:
    void input_changed() override { negotiate(input_info()); }

    GstFlowReturn take(GstBuffer *buffer) override {
        g_print("%s%s", tomo::frame_report("monitor", buffer, input_info()).c_str(),
                tomo::first_values(buffer, input_info(), print).c_str());
        return push_foreign(input_info(), tomo::BufferRef::referenced(buffer));
    }
};

} // namespace

TOMO_ELEMENT(Monitor)
