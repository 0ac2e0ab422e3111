// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A diagram of numbers as an SVG inside of a page.
#pragma once

#include <string>
#include <vector>

namespace tomo::reconstruction {

// The range of an axis of a diagram. It grows by include(); values that are not finite do not count.
struct Span {
    double least = 0.0, largest = 0.0;
    bool is_empty = true;

    void include(double value);
    // The same with a margin on both sides; never without an extent.
    Span with_margin(double share) const;
};

// Numbers at round distances, from which people read values.
std::vector<double> ticks_of(const Span &span, unsigned about);

class Chart {
  public:
    Chart(const Span &x, const Span &y, std::string x_title, std::string y_title);

    // `kind` is a class of the page's style.
    void line(const char *kind, const std::vector<double> &x, const std::vector<double> &y);
    // From a curve down to the axis.
    void area(const std::vector<double> &x, const std::vector<double> &y);
    void point(double x, double y, double uncertainty);
    void band(double from, double to); // between two values of x
    void vertical(const char *kind, double x);
    // Whether the values of y are logarithms to base 10, whose ticks tell the numbers.
    void has_logarithms() { logarithms_ = true; }

    // `title` is for people who can't see it.
    std::string svg(const std::string &title) const;

  private:
    double column(double x) const;
    double row(double y) const;

    Span x_, y_;
    std::string x_title_, y_title_, inside_;
    bool logarithms_ = false;
};

} // namespace tomo::reconstruction
