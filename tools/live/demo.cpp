// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "demo.hpp"

#include "../graph-program.hpp"

namespace live {

using tomo::Json;

namespace {

double frames_of(GstTomoLive *live) {
    const tool::Owned<GstElement> store(gst_tomo_live_get_element(live, "store"));
    double frames = 0;
    if (store)
        g_object_get(store.get(), "frames", &frames, nullptr);
    return frames;
}

} // namespace

Json Demo::parameters() {
    auto all = Json::object();
    all.set(
        "source",
        Json::text(
            "tomophantomcamera name=camera width=256 height=256 half-turn=180 frame-rate=50 axis-pos=131 moving=6"));
    all.set("half-turn", Json::integer(gint64{180}));
    all.set("axis", Json::number(131.0));
    all.set("rate", Json::number(5.0));
    return all;
}

void Demo::show(const char *scene, State next) {
    const tool::Owned<GstElement> camera(gst_tomo_live_get_element(live_, "camera"));
    if (!camera)
        return;
    gst_util_set_object_arg(G_OBJECT(camera.get()), "scene", scene);
    since_ = frames_of(live_);
    state_ = next;
}

void Demo::step() {
    constexpr double under_way = 3; // frames of the scene before
    constexpr guint count = 20;
    const bool has_come = frames_of(live_) >= since_ + under_way;
    if (state_ == State::begin)
        show("dark", State::dark);
    else if (state_ == State::dark && has_come && gst_tomo_live_take_darks(live_, count, nullptr))
        state_ = State::darks;
    else if (state_ == State::flat && has_come && gst_tomo_live_take_flats(live_, count, nullptr))
        state_ = State::flats;
}

void Demo::hear(const Json &event) {
    if (event.text_of("event") != "fields")
        return;
    if (state_ == State::darks)
        show("flat", State::flat);
    else if (state_ == State::flats)
        show("sample", State::sample);
}

} // namespace live
