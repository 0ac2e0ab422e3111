// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plane.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

namespace tomo::live {

static std::string_view stripped(std::string_view text) {
    constexpr const char *blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    return first == text.npos ? std::string_view()
                              : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

static std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(stripped(text.substr(0, end)));
        if (end == text.npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

template <class T>
static std::optional<T> number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc() || end != text.end())
        return {};
    if constexpr (std::is_floating_point_v<T>)
        if (!std::isfinite(value))
            return {};
    return value;
}

Plane::Plane(const std::string &written) {
    const auto fail = [&](const std::string &reason) {
        return Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text(
                "plane '%s' %s: write x, y or z and its offset in pixels from the axis and the middle row, such as "
                "z=3.5, or at=X:Y:Z,right=X:Y:Z,down=X:Y:Z,width=N,height=N; width, height, step, size and depth may follow",
                written.c_str(), reason.c_str()));
    };
    std::set<std::string> seen;
    for (const auto part : split(written, ',')) {
        const auto equals = part.find('=');
        if (equals == part.npos)
            throw fail(part.empty() ? "has nothing between commas"
                                    : text("has '%s' without '='", std::string(part).c_str()));
        const std::string key(stripped(part.substr(0, equals))), given(stripped(part.substr(equals + 1)));
        const auto bad = [&](const char *wanted) {
            return fail(text("has %s='%s', which is not %s", key.c_str(), given.c_str(), wanted));
        };
        if (!seen.insert(key).second)
            throw fail(text("has %s twice", key.c_str()));
        if (key == "x" || key == "y" || key == "z") {
            if (normal_)
                throw fail(text("has both %c and %s", normal_, key.c_str()));
            const auto value = number<double>(given);
            if (!value)
                throw bad("a number");
            normal_ = key[0];
            offset_ = *value;
        } else if (key == "step") {
            const auto value = number<double>(given);
            if (!value || !(*value > 0))
                throw bad("a number above 0");
            step_ = *value;
        } else if (key == "depth" && given == "all") {
            fills_depth_ = true;
        } else if (key == "width" || key == "height" || key == "size" || key == "depth") {
            const auto value = number<unsigned>(given);
            if (!value || !*value || *value > 65536)
                throw bad("a whole number from 1 to 65536");
            (key == "width" ? width_ : key == "height" ? height_ : key == "size" ? size_ : depth_) = value;
        } else if (key == "at" || key == "right" || key == "down") {
            const auto numbers = split(given, ':');
            Vector3 v;
            double *const places[] = {&v.x, &v.y, &v.z};
            for (std::size_t i = 0; i < numbers.size() && numbers.size() == 3; i++) {
                const auto value = number<double>(numbers[i]);
                if (!value)
                    throw bad("three numbers with colons between");
                *places[i] = *value;
            }
            if (numbers.size() != 3)
                throw bad("three numbers with colons between");
            (key == "at" ? at_ : key == "right" ? right_ : down_) = v;
        } else {
            throw fail(
                text("has '%s', which is none of x, y, z, at, right, down, width, height, step, size, depth",
                     key.c_str()));
        }
    }
    constexpr double most_pixels = 1 << 28; // a GiB
    const double columns = width_.value_or(size_.value_or(1)), lines = height_.value_or(size_.value_or(1));
    if (columns * lines > most_pixels)
        throw fail(text("has %.0f x %.0f pixels, which are more than 2^28", columns, lines));
    if (normal_) {
        if (at_ || right_ || down_)
            throw fail(text("has both %c and a place and directions of its own", normal_));
        if (size_ && (width_ || height_ || step_))
            throw fail("has both size, which is over the whole field, and width, height or step");
        return;
    }
    if (size_ || depth_ || fills_depth_)
        throw fail("has size or depth, which belong to planes x, y and z");
    if (!at_ || !right_ || !down_ || !width_ || !height_)
        throw fail("lies nowhere: it has neither x, y nor z, nor all of at, right, down, width and height");
    if (length(cross(*right_, *down_)) == 0)
        throw fail("has no area: right and down have one direction");
}

PlacedPlane Plane::placed(unsigned columns, unsigned rows, double axis) const {
    if (!normal_)
        return {*at_, step_.value_or(1.0) * *right_, step_.value_or(1.0) * *down_, *width_, *height_};
    // The middle of the field, so that a whole plane has the pixels of tomobackproject.
    const double middle = columns / 2.0 - axis;
    const double step = size_ ? static_cast<double>(columns) / *size_ : step_.value_or(1.0);
    const auto over = [&](unsigned pixels, const std::optional<unsigned> &given) {
        if (size_) // as many as reach both edges
            return std::max(1u, static_cast<unsigned>(std::lround(pixels / step)));
        return given.value_or(pixels);
    };
    const Vector3 x{step, 0, 0}, y{0, step, 0}, z{0, 0, step};
    const unsigned width = over(columns, width_), height = over(normal_ == 'z' ? columns : rows, height_);
    const auto filled = static_cast<unsigned>(std::lround((normal_ == 'z' ? rows : columns) / step));
    const unsigned depth = fills_depth_ ? std::max(1u, filled) : depth_.value_or(1);
    if (normal_ == 'z')
        return {{middle, middle, offset_}, x, y, width, height, z, depth};
    if (normal_ == 'y')
        return {{middle, offset_, 0}, x, z, width, height, y, depth};
    return {{offset_, middle, 0}, y, z, width, height, x, depth};
}

std::vector<std::string> plane_texts(const std::string &planes) {
    std::vector<std::string> texts;
    for (const auto part : split(planes, ';'))
        texts.emplace_back(part);
    return texts;
}

} // namespace tomo::live
