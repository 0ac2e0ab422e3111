// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo.h>
#include <gst/tomo/support/json.hpp>

#include <string>

namespace live {

// A beamline that is none: what is done at one before slices come.
class Demo {
  public:
    // Parameters of its camera and of slices.
    static tomo::Json parameters();

    explicit Demo(GstTomoLive *live) : live_(live) {}
    // Now and then.
    void step();
    // `event` of the live object.
    void hear(const tomo::Json &event);

  private:
    enum class State { begin, dark, darks, flat, flats, sample };
    void show(const char *scene, State next);

    GstTomoLive *const live_;
    State state_ = State::begin;
    double since_ = 0; // frames at the last change of the scene
};

} // namespace live
