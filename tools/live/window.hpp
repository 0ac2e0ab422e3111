// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/support/references.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace live {

// Slices beside each other, in a window or where else elements of GStreamer bring a picture.
class Window {
  public:
    // Of a size for so many planes. `line` takes the picture, such as "autovideosink". Values from `minimum`
    // to `maximum` go from black to white; without, as the first slice of each plane has them. Throws
    // std::runtime_error where an element is missing.
    Window(const std::string &line, unsigned planes, std::optional<double> minimum,
           std::optional<double> maximum);
    ~Window();
    Window(const Window &) = delete;
    Window &operator=(const Window &) = delete;

    // The element that opens a window here. Throws std::runtime_error where there is none.
    static std::string usual_line();

    void show(unsigned plane, GstSample *slice);
    // Why there is no window any more, such as that somebody has closed it; empty where there is one.
    std::string problem();

  private:
    struct Range {
        double minimum, maximum;
    };
    struct Pane {
        tomo::ObjectRef<GstElement> source;
        tomo::ObjectRef<GstPad> place;
        int width = 0, height = 0;
        std::optional<Range> range;
    };

    Pane &pane(unsigned plane);
    void arrange();

    tomo::ObjectRef<GstElement> pipeline_, mixer_;
    std::map<unsigned, Pane> panes_;
    const int width_, height_;
    const std::optional<double> minimum_, maximum_;
    std::string problem_;
};

} // namespace live
