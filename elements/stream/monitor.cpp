// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame-report.hpp"

#include <gst/tomo/bases/transform.hpp>

using namespace tomo;

namespace {

class Monitor final : public Transform {
  public:
    static constexpr Info info{
        .task = "monitor",
        .klass = "Filter/Effect",
        .blurb = "Prints a line about each array: shape, facts, place in memory and first values",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(Standard output gets one line for each array, and one with the first values if `print` is set,
which brings the array to the host. Arrays are handed on as they are.)",
        .example = "tomoread path=projections number=3 ! tomomonitor print=4 ! tomonull",
    };

    Property<unsigned> print{this, "print", 0, "First values to be printed"};

    bool needs_device() const override { return false; }

  protected:
    void begin(const ArrayInfo &in) override { negotiate(in); }

    GstFlowReturn take(GstBuffer *buffer) override {
        g_print("%s%s", frame_report("monitor", buffer, input_info()).c_str(),
                first_values(buffer, input_info(), print).c_str());
        return push_submitted(input_info(), BufferRef::referenced(buffer));
    }
};

} // namespace

TOMO_ELEMENT(Monitor)
