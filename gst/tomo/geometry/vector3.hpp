// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Points, directions and rotations in space, in double precision.
#pragma once

#include <array>
#include <cmath>

namespace tomo {

struct Vector3 {
    double x = 0.0, y = 0.0, z = 0.0;

    bool operator==(const Vector3 &) const = default;
};

constexpr Vector3 operator+(const Vector3 &a, const Vector3 &b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
constexpr Vector3 operator-(const Vector3 &a, const Vector3 &b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
constexpr Vector3 operator*(double s, const Vector3 &a) { return {s * a.x, s * a.y, s * a.z}; }
constexpr double dot(const Vector3 &a, const Vector3 &b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
constexpr Vector3 cross(const Vector3 &a, const Vector3 &b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double length(const Vector3 &a) { return std::sqrt(dot(a, a)); }

// A matrix of three columns: the images of the unit vectors.
struct Matrix3 {
    Vector3 x{1.0, 0.0, 0.0}, y{0.0, 1.0, 0.0}, z{0.0, 0.0, 1.0};
};

constexpr Vector3 operator*(const Matrix3 &m, const Vector3 &v) { return v.x * m.x + v.y * m.y + v.z * m.z; }
constexpr Matrix3 operator*(const Matrix3 &a, const Matrix3 &b) { return {a * b.x, a * b.y, a * b.z}; }
constexpr Matrix3 transposed(const Matrix3 &m) {
    return {{m.x.x, m.y.x, m.z.x}, {m.x.y, m.y.y, m.z.y}, {m.x.z, m.y.z, m.z.z}};
}

// Rotations by an angle in radians about one axis, each from the next axis towards the one after it.
inline Matrix3 rotation_x(double angle) {
    const double s = std::sin(angle), c = std::cos(angle);
    return {{1.0, 0.0, 0.0}, {0.0, c, s}, {0.0, -s, c}};
}
inline Matrix3 rotation_y(double angle) {
    const double s = std::sin(angle), c = std::cos(angle);
    return {{c, 0.0, -s}, {0.0, 1.0, 0.0}, {s, 0.0, c}};
}
inline Matrix3 rotation_z(double angle) {
    const double s = std::sin(angle), c = std::cos(angle);
    return {{c, s, 0.0}, {-s, c, 0.0}, {0.0, 0.0, 1.0}};
}
// About z, then about y, then about x.
inline Matrix3 rotation_zyx(const Vector3 &angles) {
    return rotation_x(angles.x) * rotation_y(angles.y) * rotation_z(angles.z);
}

} // namespace tomo
