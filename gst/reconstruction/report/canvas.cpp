// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/formats/png.hpp>
#include <gst/reconstruction/report/canvas.hpp>
#include <gst/tomo/support/lettering.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

Ink ink_of_size(const std::string &text, int size) {
    return has_lettering() ? ink_of(text, "Sans " + std::to_string(size) + "px") : Ink{};
}

} // namespace

unsigned char *Canvas::at(int x, int y) {
    const bool is_inside = x >= 0 && y >= 0 && x < int(width_) && y < int(height_);
    return is_inside ? &pixels_[std::size_t(y) * width_ + std::size_t(x)] : nullptr;
}

void Canvas::fill(int x, int y, int width, int height, unsigned char grey) {
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            if (auto *pixel = at(column, row))
                *pixel = grey;
}

void Canvas::place(int x, int y, unsigned width, const std::vector<unsigned char> &pixels, unsigned n) {
    for (std::size_t i = 0; i < pixels.size(); i++)
        fill(x + int(i % width * n), y + int(i / width * n), int(n), int(n), pixels[i]);
}

void Canvas::write(int x, int y, const std::string &text, int size, unsigned char grey) {
    const auto ink = ink_of_size(text, size);
    const int top = y - int(ink.height / 2);
    for (unsigned i = 0; i < ink.coverage.size(); i++)
        if (auto *pixel = at(x + int(i % ink.width), top + int(i / ink.width)))
            *pixel = static_cast<unsigned char>(std::lround(*pixel + ink.coverage[i] * (grey - *pixel)));
}

int Canvas::width_of(const std::string &text, int size) { return int(ink_of_size(text, size).width); }

std::string Canvas::png(std::vector<std::pair<std::string, std::string>> words) const {
    const auto bytes =
        io::png_of(ArrayInfo(GST_TOMO_FORMAT_UINT8, width_, height_), pixels_.data(), std::move(words));
    return {bytes.begin(), bytes.end()};
}

} // namespace tomo::reconstruction
