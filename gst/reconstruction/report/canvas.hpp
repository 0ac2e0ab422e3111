// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tomo::reconstruction {

// A grey image of 8 bits that is drawn on. What lies outside of it is left out.
class Canvas {
  public:
    Canvas(unsigned width, unsigned height, unsigned char grey)
        : width_(width), height_(height), pixels_(std::size_t{width} * height, grey) {}

    unsigned width() const { return width_; }
    unsigned height() const { return height_; }

    void fill(int x, int y, int width, int height, unsigned char grey);
    // Pixels in rows of `width`, each as a square of n x n.
    void place(int x, int y, unsigned width, const std::vector<unsigned char> &pixels, unsigned n);
    // A line of text of this height of letters in pixels, from its left edge, about the middle line `y`.
    // Nothing in a build that draws no letters.
    void write(int x, int y, const std::string &text, int size, unsigned char grey);
    static int width_of(const std::string &text, int size);

    // As a file in PNG. Throws Error.
    std::string png(std::vector<std::pair<std::string, std::string>> words) const;

  private:
    unsigned char *at(int x, int y);

    const unsigned width_, height_;
    std::vector<unsigned char> pixels_;
};

} // namespace tomo::reconstruction
